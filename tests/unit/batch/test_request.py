"""What a user asked for: which videos, under which names, and what is refused."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import make
from vhsbatch.batch.ledger import read_ledger
from vhsbatch.batch.request import Chosen, container_of, job_of_video, jobs_of_folder
from vhsbatch.config.presets import Preset
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

PRESET = Preset(name="p")


def folder(root: Path, *names: str) -> Path:
    """`root` with empty files in it."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def jobs(
    tapes: Path,
    out: Path,
    preset: Preset = PRESET,
    *,
    pattern: str = "*",
    recursive: bool = False,
    suffix: str | None = None,
    max_count: int | None = None,
) -> tuple[Job, ...]:
    return chosen(
        tapes, out, preset, pattern=pattern, recursive=recursive, suffix=suffix, max_count=max_count
    ).jobs


def chosen(tapes: Path, out: Path, preset: Preset = PRESET, **options: Any) -> Chosen:
    values: dict[str, Any] = {"pattern": "*", "recursive": False, "suffix": None, "max_count": None}
    return jobs_of_folder(tapes, preset, read_ledger(out.resolve()), **(values | options))


def ids(made: tuple[Job, ...]) -> list[str]:
    return [job.id for job in made]


def test_each_video_has_its_output(tmp_path: Path) -> None:
    tapes, out = folder(tmp_path / "in", "b.avi", "A.dv", "notes.txt"), tmp_path / "out"
    assert jobs(tapes, out) == (
        Job(id="A_1080p.mp4", index=1, source=tapes / "A.dv", output=out / "A_1080p.mp4"),
        Job(id="b_1080p.mp4", index=2, source=tapes / "b.avi", output=out / "b_1080p.mp4"),
    )
    assert not out.exists()


def test_relative_folders_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", "a.avi")
    monkeypatch.chdir(tmp_path)
    assert jobs(Path("in"), Path("in/../out")) == jobs(tmp_path / "in", tmp_path / "out")


def test_linked_folders_are_what_they_point_to(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "disk", "a.avi")
    (tmp_path / "in").symlink_to(tapes)
    assert jobs(tmp_path / "in", tmp_path / "out") == jobs(tapes, tmp_path / "out")


def test_what_lies_in_the_output_folder_is_no_source(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi", "out/a_1080p.mp4", "out/sub/b_1080p.mp4", "sub/b.avi")
    assert ids(jobs(tapes, tapes / "out", recursive=True)) == ["a_1080p.mp4", "sub/b_1080p.mp4"]


def test_a_video_called_like_a_result_of_no_other_is_a_source(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "x_1080p.mp4", "y.avi")
    assert ids(jobs(tapes, tmp_path / "out")) == ["x_1080p_1080p.mp4", "y_1080p.mp4"]


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_the_first_so_many_have_the_names_that_all_would_give_them(count: int, tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "tape.avi", "tape.mov", "other.dv")
    every = jobs(tapes, tmp_path / "out")
    assert ids(every) == ["other_1080p.mp4", "tape.avi_1080p.mp4", "tape.mov_1080p.mp4"]
    assert jobs(tapes, tmp_path / "out", max_count=count) == every[:count]


def test_sub_folders_are_mirrored_where_they_are_looked_into(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi", "1998/a.avi")
    assert ids(jobs(tapes, tmp_path / "out")) == ["a_1080p.mp4"]
    assert ids(jobs(tapes, tmp_path / "out", recursive=True)) == ["1998/a_1080p.mp4", "a_1080p.mp4"]


def test_the_preset_gives_size_and_container(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi")
    preset = Preset(name="p", target_height=720, container="mkv")
    assert ids(jobs(tapes, tmp_path / "out", preset)) == ["a_720p.mkv"]
    assert job_of_video(tapes / "a.avi", tmp_path / "out", preset).id == "a_720p.mkv"


@pytest.mark.parametrize("suffix", ["_restored", "-2", "~", " neu.2", "ü"])
def test_a_suffix_of_ones_own(suffix: str, tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi")
    assert ids(jobs(tapes, tmp_path / "out", suffix=suffix)) == [f"a{suffix}.mp4"]


@pytest.mark.parametrize("suffix", ["", "/", "_x/y", "../z", ".", ".mp4", "a\0"])
def test_a_suffix_that_is_no_part_of_a_name_is_refused(suffix: str, tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi")
    with pytest.raises(UsageError, match=r"--suffix .* cannot be part of a file name") as caught:
        jobs(tapes, tmp_path / "out", suffix=suffix)
    assert caught.value.fix == "for example _restored"


@given(st.text(max_size=8))
@example("/../../a")
def test_a_suffix_never_leads_out_of_the_output_folder(suffix: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        tapes, out = folder(Path(root).resolve() / "in", "a.avi"), Path(root).resolve() / "out"
        try:
            (made,) = jobs(tapes, out, suffix=suffix)
        except UsageError:
            return
        assert made.output.resolve().parent == out


def test_no_video_is_refused_and_says_where_else_to_look(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "notes.txt", "sub/a.avi")
    with pytest.raises(UsageError) as caught:
        jobs(tapes, tmp_path / "out")
    assert caught.value.cause == f"no videos in {tapes}"
    assert caught.value.fix == "--recursive looks into sub-folders too"


def test_a_pattern_that_no_video_matches_is_named(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.avi", "sub/b.avi")
    with pytest.raises(UsageError) as caught:
        jobs(tapes, tmp_path / "out", pattern="c*", recursive=True)
    assert caught.value.cause == f"no videos in {tapes} match c*"
    assert caught.value.fix is None


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"input folder {tmp_path}/none does not exist"):
        jobs(tmp_path / "none", tmp_path / "out")


def test_an_output_in_the_place_of_a_source_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "tapes"
    # The second tape's output would be the first one on a disk that ignores case.
    tapes = folder(out / "in", "in/x.avi", "X_1080P.MP4")
    expected = r"X_1080P\.MP4 is a source and would be overwritten by the result of x\.avi"
    with pytest.raises(UsageError, match=expected) as caught:
        jobs(tapes, out, recursive=True)
    assert caught.value.fix == "choose another output folder or --suffix"


def test_a_single_video_gets_its_usual_name_in_a_folder(tmp_path: Path) -> None:
    video = folder(tmp_path / "in", "my.tape.avi") / "my.tape.avi"
    out = folder(tmp_path / "out.d")
    for place in (out, tmp_path / "new"):
        output = place / "my.tape_1080p.mp4"
        expected = Job(id=output.name, index=1, source=video, output=output)
        assert job_of_video(video, place, PRESET) == expected


def test_a_single_video_gets_the_name_that_was_asked_for(tmp_path: Path) -> None:
    video = folder(tmp_path / "in", "a.avi") / "a.avi"
    output = tmp_path / "new" / "my film.mp4"
    assert job_of_video(video, output, PRESET) == Job(id="my film.mp4", index=1, source=video, output=output)


def test_a_single_video_is_found_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder(tmp_path / "in", "a.avi"))
    made = job_of_video(Path("a.avi"), Path("../b.mp4"), PRESET)
    assert (made.source, made.output) == (tmp_path / "in" / "a.avi", tmp_path / "b.mp4")


def test_a_name_that_is_no_text_is_taken_as_it_is(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.avi")
    video = folder(tmp_path / "in", name) / name
    assert job_of_video(video, tmp_path / "out", PRESET).id == os.fsdecode(b"caf\xe9\n_1080p.mp4")


@pytest.mark.parametrize(("name", "cause"), [("none.avi", "does not exist"), ("folder.avi", "is a folder")])
def test_a_video_that_is_none_is_refused(name: str, cause: str, tmp_path: Path) -> None:
    folder(tmp_path / "folder.avi")
    with pytest.raises(UsageError, match=f"{name} {cause}"):
        job_of_video(tmp_path / name, tmp_path / "out", PRESET)


@pytest.mark.parametrize("output", ["a.mp4", "A.MP4", "../in/a.mp4", "link.mp4"])
def test_a_video_is_never_overwritten(output: str, tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "a.mp4")
    (tapes / "link.mp4").symlink_to("a.mp4")
    with pytest.raises(UsageError, match="is a source and would be overwritten"):
        job_of_video(tapes / "a.mp4", tapes / output, PRESET)


def test_a_name_alone_makes_no_result(tmp_path: Path) -> None:
    tapes = folder(tmp_path, "a.avi", "a_720p.mp4", "b.avi", "c_720p.mp4", "a_720p.avi")
    made = jobs(tapes, tapes)
    names = ["a.avi", "a_720p.avi", "a_720p.mp4", "b.avi", "c_720p.mp4"]
    assert [job.source.name for job in made] == names
    assert [job.index for job in made] == [1, 2, 3, 4, 5]


def test_the_name_of_an_output_says_its_container(tmp_path: Path) -> None:
    assert container_of(tmp_path / "a.MKV") == "mkv"
    assert container_of(tmp_path / "a.avi") is None
    assert container_of(tmp_path) is None
    (video,) = folder(tmp_path, "a.avi").iterdir()
    with pytest.raises(UsageError, match=r"results are \.mp4, \.mkv or \.mov"):
        job_of_video(video, tmp_path / "b.avi", Preset(name="vhs"))


def test_a_part_that_an_earlier_run_joined_is_missed(tmp_path: Path) -> None:
    tapes = folder(tmp_path / "in", "VTS_01_1.VOB", "VTS_01_2.VOB", "VTS_01_3.VOB")
    ledger = read_ledger(tmp_path / "out")

    def looked(join: bool = True) -> Chosen:
        return jobs_of_folder(
            tapes, PRESET, ledger, pattern="*", recursive=False, suffix=None, max_count=None, join=join
        )

    whole = looked()
    ledger.apply(make.batch_started(*whole.jobs))
    assert looked() == whole
    (tapes / "VTS_01_3.VOB").unlink()
    fewer = looked()
    why = "VTS_01_3.VOB, which an earlier run joined with it, is not there"
    assert fewer.lacking == {whole.jobs[0].id: why}
    assert list(fewer.lacking_notes) == [f"VTS_01_1.VOB may lack a part: {why}"]
    folder(tapes, "VTS_01_3.VOB")
    assert not looked().lacking
    # Without joining, a file that is there lacks nothing.
    for name in ("VTS_01_1.VOB", "VTS_01_2.VOB"):
        (tapes / name).unlink()
    assert [job.source.name for job in looked(join=False).jobs] == ["VTS_01_3.VOB"]
    assert looked(join=False).lacking == {}
    assert looked().lacking != {}
