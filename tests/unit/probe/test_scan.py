"""From the answer of the reading process to a value or an error."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.errors import InputError, ToolError
from vhsbatch.model.media import FieldOrder
from vhsbatch.probe import scan as scanning
from vhsbatch.probe.scan import Scan, scan
from vhsbatch.process.spawn import Finished

# What the process prints of a DV capture.
ANSWER: dict[str, Any] = {
    "container": "dv", "start_s": "0/1", "duration_s": "166833/1000000", "pictures": 0, "videos": 1,
    "unknown_audio": 0, "audio_left_out": [], "reach_s": "5339/32000", "read_error": None, "whole": None,
    "holes": [],
    "spans": [],
    "video": {
        "index": 0, "codec": "dvvideo", "matrix": 2, "width": 720, "height": 480, "time_base": "1/60000",
        "rates": ["30000/1001", "30000/1001", "60000/1"], "field_order": "unknown", "declared_frames": 0,
        "ticks": [0, 2002, 4004, 6006, 8008], "packets_without_time": 0, "keyframe_gap_s": "1001/30000",
        "jump_back_s": "0/1", "jump_at_s": "0/1", "looks": [],
    },
    "subtitles": [{"index": 2, "codec": "subrip"}],
    "other_streams": 1,
    "timecode": "01:00:00:00",
    "recorded": None,
    "mirrored": False,
    "tags": [],
    "audio": [
        {"index": 1, "codec": "pcm_s16le", "sample_rate_hz": 32000, "channels": 2, "start_s": "0/1",
         "end_s": "5339/32000", "language": "und", "heard_s": "5339/32000", "undecoded_packets": 0,
         "undecoded_at_s": None, "changes_at_s": None},
    ],
}  # fmt: skip


async def scan_answer(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], beginning: bytes = b"", exit_code: int = 0
) -> Scan:
    async def run(*_: object, **__: object) -> Finished:
        return Finished(exit_code, json.dumps(answer).encode(), ("ImportError: libva.so.2",))

    monkeypatch.setattr(scanning, "run", run)
    return await scan(Path("/tapes/a.dv"), beginning=beginning, timeout_s=1)


@pytest.mark.anyio
async def test_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await scan_answer(monkeypatch, ANSWER)
    assert found.ticks == (0, 2002, 4004, 6006, 8008)
    assert found.rates[0] == Fraction(30000, 1001)
    assert found.stated_order is FieldOrder.UNKNOWN
    assert found.audio[0].end_s == Fraction(5339, 32000)
    assert found.audio[0].language is None
    assert found.declared_s is None
    assert not found.truncated


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("container", "declared", "reach", "truncated"),
    [
        ("matroska,webm", "60/1", "20/1", True),
        ("matroska,webm", "60/1", "119/2", False),
        ("matroska,webm", "7200/1", "7170/1", False),
        ("matroska,webm", "7200/1", "7100/1", True),
        ("mpegts", "60/1", "20/1", False),
    ],
)
async def test_truncation(
    monkeypatch: pytest.MonkeyPatch, container: str, declared: str, reach: str, truncated: bool
) -> None:
    answer = ANSWER | {"container": container, "duration_s": declared, "reach_s": reach}
    assert (await scan_answer(monkeypatch, answer)).truncated is truncated


@pytest.mark.anyio
@pytest.mark.parametrize(("frames", "declared_s"), [(901, Fraction(901, 30)), (0, None), (2**30, None)])
async def test_an_avi_declares_frames(
    monkeypatch: pytest.MonkeyPatch, frames: int, declared_s: Fraction | None
) -> None:
    video = ANSWER["video"] | {"time_base": "1/30", "declared_frames": frames}
    found = await scan_answer(monkeypatch, ANSWER | {"container": "avi", "video": video})
    assert found.declared_s == declared_s


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("beginning", "cause"),
    [
        (b"ffconcat version 1.0\nfile x.mp4\n", "concat script"),
        (b"\xef\xbb\xbf#EXTM3U\n", "playlist (HLS)"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', "playlist (DASH)"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "index is missing"),
        (b"hello", "not a video that can be read (Invalid data"),
    ],
)
async def test_what_a_file_is_instead(monkeypatch: pytest.MonkeyPatch, beginning: bytes, cause: str) -> None:
    answer = {"error": "Invalid data found when processing input"}
    with pytest.raises(InputError) as caught:
        await scan_answer(monkeypatch, answer, beginning)
    assert cause in caught.value.cause
    assert caught.value.fix


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ({"pictures": 1, "videos": 0}, "cover art"),
        ({"pictures": 0, "videos": 1}, "nothing can decode its video"),
        ({"pictures": 0, "videos": 0}, "it holds no video"),
    ],
)
async def test_files_without_a_video(
    monkeypatch: pytest.MonkeyPatch, counts: dict[str, int], cause: str
) -> None:
    with pytest.raises(InputError, match=cause):
        await scan_answer(monkeypatch, ANSWER | counts | {"video": None})


@pytest.mark.anyio
async def test_a_crash_is_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="was killed by SIGSEGV"):
        await scan_answer(monkeypatch, ANSWER, exit_code=-11)


@pytest.mark.anyio
async def test_a_failure_is_the_tools_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match=r"libva\.so\.2"):
        await scan_answer(monkeypatch, ANSWER, exit_code=1)


@pytest.mark.anyio
async def test_an_endless_answer_is_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(*_: object, **__: object) -> Finished:
        return Finished(0, json.dumps(ANSWER).encode()[:200], ())

    monkeypatch.setattr(scanning, "run", run)
    with pytest.raises(InputError, match="too many packets"):
        await scan(Path("/tapes/a.dv"), beginning=b"", timeout_s=1)


@pytest.mark.anyio
async def test_lost_frames_of_an_avi_are_counted_in_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    video = ANSWER["video"] | {"time_base": "1/600", "declared_frames": 240, "ticks": [0, 24, 48, 72]}
    answer = ANSWER | {"container": "avi", "video": video, "holes": [48]}
    assert (await scan_answer(monkeypatch, answer)).lost_frames == 6
