"""Which pictures in a folder are the frames of a video, and what is said of them."""

from pathlib import Path

import pytest

from vhsbatch.batch.discover import discover
from vhsbatch.batch.pictures import numbered_pictures, pictures_at, refuse_pictures
from vhsbatch.errors import UsageError

FOLDER = Path("/tapes/my holiday")


def frames(first: int, count: int, name: str = "frame_{:06}.png") -> list[str]:
    return [name.format(number) for number in range(first, first + count)]


def test_frames_become_a_video_by_a_command_that_a_shell_takes() -> None:
    found = numbered_pictures(FOLDER, ["notes.txt", *frames(7, 30)])
    assert found is not None
    assert found.in_words == "30 numbered pictures (frame_%06d.png from 7 on)"
    assert found.remedy.endswith(
        "here of 25 a second: ffmpeg -framerate 25 -start_number 7 "
        "-i '/tapes/my holiday/frame_%06d.png' -c copy '/tapes/my holiday.mov'"
    )


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (frames(1, 120, "{}.jpg"), "%d.jpg"),
        (frames(90, 30, "shot 2 {:03}.DPX"), "shot 2 %03d.DPX"),
        (frames(0, 30, "100%_{:04}.tif"), "100%%_%04d.tif"),
    ],
)
def test_the_pattern_is_that_of_the_names(names: list[str], pattern: str) -> None:
    found = numbered_pictures(FOLDER, names)
    assert found is not None
    assert (found.pattern, found.count) == (pattern, len(names))


def test_a_gap_and_other_pictures_are_named() -> None:
    found = numbered_pictures(FOLDER, [*frames(0, 20), *frames(21, 20), "cover.jpg"])
    assert found is not None
    assert found.in_words.endswith("of which number 20 is missing, beside 1 other picture")
    assert found.remedy == "put the missing pictures there, or renumber the others"


@pytest.mark.parametrize(
    "names", [[], frames(0, 24), frames(0, 40, "tape_{:03}.avi"), frames(0, 40, ".{}.png")]
)
def test_a_few_photographs_and_videos_are_no_frames(names: list[str]) -> None:
    assert numbered_pictures(FOLDER, names) is None


@pytest.mark.parametrize("recursive", [False, True])
def test_a_folder_of_frames_is_left_out_in_one_line(recursive: bool, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for name in frames(0, 30):
        (tmp_path / "frames" / name).touch()
    (tmp_path / "tape.avi").touch()
    found = discover(tmp_path, pattern="*", recursive=recursive)
    assert found.videos == [tmp_path / "tape.avi"]
    ((reason, paths),) = found.left_out.items()
    assert paths == [tmp_path / "frames"]
    assert reason.startswith("30 numbered pictures (frame_%06d.png from 0 on); if they are the frames")
    for source in (tmp_path / "frames", tmp_path / "frames" / "frame_000003.png"):
        with pytest.raises(UsageError, match="no video"):
            refuse_pictures(source)
    refuse_pictures(tmp_path / "tape.avi")
    assert pictures_at(tmp_path / "none" / "frame_1.png") is None
