"""Which files belong together: only what something else than a number proves."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from vhsbatch.batch.parts import FoundRecordings, find_recordings, note_of_others
from vhsbatch.probe.heads import Head

GIB = 2**30
FULL = GIB - 32_768
AVI = Head(kind="avi dvvideo 720x576", rate=25.0, start_s=0.0, length_s=300.0)


def files(folder: Path, sizes: Mapping[str, int]) -> list[Path]:
    paths = [folder / name for name in sizes]
    for path, size_bytes in zip(paths, sizes.values(), strict=True):
        path.touch()
        os.truncate(path, size_bytes)
    return paths


def found(folder: Path, sizes: Mapping[str, int], heads: Mapping[str, Head] | None = None) -> FoundRecordings:
    def look(paths: Iterable[Path]) -> Mapping[Path, Head]:
        return {path: (heads or {}).get(path.name, AVI) for path in paths}

    return find_recordings(files(folder, sizes), look)


def names(recordings: FoundRecordings) -> list[list[str]]:
    return [[part.name for part in recording.parts] for recording in recordings.recordings]


def stream(start_s: float | None, length_s: float | None = 60.0) -> Head:
    return Head(kind="mpegts h264 1440x1080", rate=25.0, start_s=start_s, length_s=length_s)


@pytest.mark.parametrize(
    "sizes",
    [
        {"tape_001.avi": 500_000, "tape_002.avi": 400_000},
        # Nearly as large as what a recorder writes, by chance.
        {"tape_001.avi": int(0.99 * GIB), "tape_002.avi": 400_000},
        {"tape_001.avi": GIB + 1, "tape_002.avi": 400_000},
        {"tape_001.avi": 400_000, "tape_003.avi": 400_000},
        {"tape.avi": FULL},
        # What follows is larger than a file may become.
        {"tape_001.avi": FULL, "tape_002.avi": 3 * GIB},
        {"tape_1|x_1.avi": FULL, "tape_1|x_2.avi": 400_000},
    ],
)
def test_a_number_and_a_size_by_chance_prove_nothing(sizes: Mapping[str, int], tmp_path: Path) -> None:
    assert found(tmp_path, sizes) == FoundRecordings()


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_files_that_end_just_below_a_limit_go_on_in_the_next(limit: int, tmp_path: Path) -> None:
    full = limit * GIB - 100_000
    sizes = {"t_09.avi": full, "t_10.avi": full, "t_11.avi": 5, "t_12.avi": 7}
    (recording,) = found(tmp_path, sizes).recordings
    assert [part.name for part in recording.parts] == ["t_09.avi", "t_10.avi", "t_11.avi"]
    assert recording.name == "t_09_joined"
    assert f"3 files, each but the last just below {limit} GiB" in recording.note


def test_two_files_of_one_round_size_are_no_chance(tmp_path: Path) -> None:
    size_bytes = 2000 * 2**20
    sizes = {"c.00.avi": size_bytes, "c.01.avi": size_bytes - 9000, "c.02.avi": 100}
    assert names(found(tmp_path, sizes)) == [["c.00.avi", "c.01.avi", "c.02.avi"]]


def test_another_format_or_timecode_is_another_tape_and_that_is_said(tmp_path: Path) -> None:
    sizes = {"t_1.avi": FULL, "t_2.avi": 5}
    other = found(tmp_path, sizes, {"t_2.avi": Head(kind="avi mjpeg 720x576")})
    assert other.recordings == ()
    assert other.notes == ("not joined: t_1.avi ends just below 1 GiB, but t_2.avi is of another format",)
    codes = [
        Head(kind="dv", rate=25.0, length_s=60.0, timecode=f"00:0{minute}:00:00") for minute in (0, 1, 5)
    ]
    assert names(found(tmp_path, sizes, {"t_1.avi": codes[0], "t_2.avi": codes[1]})) == [
        ["t_1.avi", "t_2.avi"]
    ]
    jump = found(tmp_path, sizes, {"t_1.avi": codes[0], "t_2.avi": codes[2]})
    assert "does not go on with its timecode" in jump.notes[0]


def test_a_file_that_cannot_be_read_still_belongs_where_its_size_says(tmp_path: Path) -> None:
    sizes = {"t_1.avi": FULL, "t_2.avi": 5}
    assert names(found(tmp_path, sizes, {"t_2.avi": Head()})) == [["t_1.avi", "t_2.avi"]]


def test_streams_belong_together_where_the_clock_goes_on(tmp_path: Path) -> None:
    sizes = {"00000.MTS": 5, "00001.MTS": 5, "00002.MTS": 5, "00003.MTS": 5}
    heads = {
        "00000.MTS": stream(1.4),
        "00001.MTS": stream(1.4),
        "00002.MTS": stream(61.5),
        "00003.MTS": stream(None),
    }
    assert names(found(tmp_path, sizes, heads)) == [["00001.MTS", "00002.MTS"]]


def test_very_short_streams_whose_clocks_begin_alike_stay_apart(tmp_path: Path) -> None:
    heads = {"a1.ts": stream(1.4, 0.2), "a2.ts": stream(1.4, 0.2)}
    assert found(tmp_path, {"a1.ts": 5, "a2.ts": 5}, heads).recordings == ()


def test_a_stream_that_restarts_its_clock_at_a_limit_is_named(tmp_path: Path) -> None:
    heads = {"a1.ts": stream(1.4), "a2.ts": stream(1.4)}
    recordings = found(tmp_path, {"a1.ts": FULL, "a2.ts": 5}, heads)
    assert recordings.recordings == ()
    assert "a2.ts does not go on with its clock" in recordings.notes[0]


def test_names_that_one_kind_of_recorder_gives_are_enough(tmp_path: Path) -> None:
    videos = "VTS_01_1.VOB VTS_01_2.VOB VTS_02_1.VOB GOPR0003.MP4 GP010003.MP4 GH010003.MP4 GH020003.MP4"
    sizes = dict.fromkeys((*videos.split(), "GH010004.MP4", "GH020005.MP4"), 5)
    recordings = found(tmp_path, sizes)
    assert names(recordings) == [
        ["VTS_01_1.VOB", "VTS_01_2.VOB"],
        ["GOPR0003.MP4", "GP010003.MP4"],
        ["GH010003.MP4", "GH020003.MP4"],
    ]
    assert [recording.name for recording in recordings.recordings] == [
        "VTS_01",
        "GOPR0003_joined",
        "GH010003_joined",
    ]


@pytest.mark.parametrize(
    ("sizes", "lacking"),
    [
        # A recorder began a new file that is not there.
        ({"tape_099.avi": FULL}, {"tape_099.avi": "tape_099.avi ends just below 1 GiB, and tape_100.avi"}),
        ({"t_1.avi": FULL, "t_3.avi": 5}, {"t_1.avi": "t_1.avi ends just below 1 GiB, and t_2.avi"}),
        ({"t_1.avi": FULL, "t_2.mov": 5}, {"t_1.avi": "t_1.avi ends just below 1 GiB, and t_2.avi"}),
        ({"t_1.avi": FULL, "t_2.avi": FULL}, {"t_1.avi": "t_2.avi ends just below 1 GiB, and t_3.avi"}),
        # Two of one round size, which alone says nothing.
        ({"t_1.avi": 2000 * 2**20, "t_2.avi": 2000 * 2**20}, {"t_1.avi": "t_2.avi ends just below 2 GiB"}),
        ({"t_1.avi": 2000 * 2**20}, {}),
        ({"VTS_02_1.VOB": FULL}, {"VTS_02_1.VOB": "VTS_02_1.VOB ends just below 1 GiB, and VTS_02_2.VOB"}),
        # A name that tells of others.
        ({"VTS_02_2.VOB": 5}, {"VTS_02_2.VOB": "VTS_02_1.VOB, which comes before it"}),
        ({"GH020003.MP4": 5}, {"GH020003.MP4": "GH010003.MP4, which comes before it"}),
        ({"GP010003.MP4": 5}, {"GP010003.MP4": "GOPR0003.MP4, which comes before it"}),
        (
            {"GH010003.MP4": 5, "GH020003.MP4": 5, "GH040003.MP4": 5},
            {
                "GH010003.MP4": "GH030003.MP4, which comes after",
                "GH040003.MP4": "GH030003.MP4, which comes before",
            },
        ),
        (
            {"GOPR0003.MP4": 5, "GP020003.MP4": 5},
            {
                "GOPR0003.MP4": "GP010003.MP4, which comes after",
                "GP020003.MP4": "GP010003.MP4, which comes before",
            },
        ),
        ({"GOPR0003.MP4": 5, "GX010004.MP4": 5, "VTS_01_1.VOB": 5, "tape_7.avi": 5}, {}),
    ],
)
def test_a_part_that_a_size_or_a_name_announces_is_missed(
    sizes: Mapping[str, int], lacking: Mapping[str, str], tmp_path: Path
) -> None:
    missed = {path.name: why for path, why in found(tmp_path, sizes).lacking.items()}
    assert missed.keys() == lacking.keys()
    for name, why in lacking.items():
        assert missed[name].startswith(why)
        assert missed[name].endswith("is not there")


@pytest.mark.parametrize(
    ("sizes", "video", "others", "pattern"),
    [
        (
            {"GH010001.MP4": 9, "GH020001.MP4": 8, "GH030001.MP4": 7, "GH010002.MP4": 7},
            "GH020001.MP4",
            "GH010001.MP4, GH030001.MP4",
            "'GH0*0001.MP4'",
        ),
        ({"tape_001.avi": FULL, "tape_002.avi": 400_000}, "tape_001.avi", "tape_002.avi", "'tape_00*.avi'"),
        ({"a[1]_1.avi": FULL, "a[1]_2.avi": 4}, "a[1]_2.avi", "a[1]_1.avi", "'a[[]1]_*.avi'"),
    ],
)
def test_a_part_that_is_restored_by_itself_names_the_others_and_the_command(
    sizes: dict[str, int], video: str, others: str, pattern: str, tmp_path: Path
) -> None:
    paths = files(tmp_path, sizes)
    note = note_of_others(tmp_path / video, paths, lambda paths: dict.fromkeys(paths, AVI))
    assert note is not None
    assert f"{video} is a part of a recording, with {others} (" in note
    assert note.endswith(f": vhs-upscale batch {tmp_path} OUT --pattern {pattern}")


def test_only_files_next_to_the_video_are_asked(tmp_path: Path) -> None:
    paths = files(tmp_path, {f"GH{number:02}0001.MP4": 9 for number in range(1, 40)})
    asked: set[Path] = set()

    def heads(wanted: Iterable[Path]) -> dict[Path, Head]:
        asked.update(wanted)
        return {path: replace(AVI, kind=path.stem[:4]) for path in wanted}

    assert note_of_others(paths[20], paths, heads) is None
    assert asked == {*paths[19:22]}


def test_a_video_beside_others_is_no_part(tmp_path: Path) -> None:
    paths = files(tmp_path, {"tape_001.avi": 500_000, "tape_002.avi": 400_000})
    assert note_of_others(paths[0], paths, lambda paths: dict.fromkeys(paths, AVI)) is None
