"""Raw DV: whole streams are followed, and the place where one is lost is found to the byte."""

from fractions import Fraction
from pathlib import Path

import pytest

from vhsbatch.probe.dv_frames import DvFrames, LostPlace, dv_frames

SEQUENCE = 12_000
KINDS = (0, 1, 1, 2, 2, 2, *(3, *(4,) * 15) * 9)
NTSC, PAL = 10, 12


def frame(sequences: int, *, kind: int = 0) -> bytes:
    """A frame of which only the first bytes of blocks are there."""
    data = bytearray(b"\xff" * (sequences * SEQUENCE))
    data[::80] = bytes(kind << 5 | 0x1F for kind in KINDS * sequences)
    for number in range(sequences):
        flag = 0xBF if sequences == PAL else 0x3F
        data[number * SEQUENCE : number * SEQUENCE + 4] = bytes((0x1F, number << 4 | 7, 0, flag))
    data[80 * 5 + 48 + 3] = kind
    return bytes(data)


def found(folder: Path, data: bytes) -> DvFrames | None:
    path = folder / "a.dv"
    path.write_bytes(data)
    with path.open("rb") as file:
        return dv_frames(file, len(data))


def lost(folder: Path, data: bytes) -> LostPlace | None:
    frames = found(folder, data)
    assert frames is not None
    return frames.lost


@pytest.mark.parametrize("sequences", [NTSC, PAL])
def test_a_whole_stream_is_followed(sequences: int, tmp_path: Path) -> None:
    size = sequences * SEQUENCE
    whole = DvFrames(frame_bytes=size, pal=sequences == PAL, lead_bytes=0, rest_bytes=0, lost=None)
    assert found(tmp_path, 5 * frame(sequences)) == whole


@pytest.mark.parametrize("sequences", [NTSC, PAL])
def test_what_is_missing_at_the_ends_is_known(sequences: int, tmp_path: Path) -> None:
    frames = found(tmp_path, bytes(200_000) + 3 * frame(sequences) + frame(sequences)[:50_000])
    assert frames is not None
    assert (frames.lead_bytes, frames.lost_at_head, frames.rest_bytes) == (200_000, 2, 50_000)
    assert frames.lost is None


@pytest.mark.parametrize("sequences", [NTSC, PAL])
@pytest.mark.parametrize("at", [500, 60_000, 119_000])
@pytest.mark.parametrize("count", [80, 1000, 50_000])
def test_missing_and_additional_bytes_are_found(sequences: int, at: int, count: int, tmp_path: Path) -> None:
    size, data = sequences * SEQUENCE, 6 * frame(sequences)
    place = 2 * size + at
    missing = lost(tmp_path, data[:place] + data[place + count :])
    assert missing is not None
    assert missing.next_at in (3 * size - count, 4 * size - count)  # more than is left of that frame
    assert missing.at <= place
    added = lost(tmp_path, data[:place] + bytes(count) + data[place:])
    assert added is not None
    assert added.next_at == 3 * size + count
    assert place - size <= added.at <= place + size


def test_overwritten_frames_keep_an_ntsc_stream_in_place(tmp_path: Path) -> None:
    data = 2 * frame(NTSC) + bytes(3 * NTSC * SEQUENCE) + 2 * frame(NTSC)
    assert lost(tmp_path, data) is None


def spans(folder: Path, data: bytes) -> list[tuple[int, int, Fraction]]:
    frames = found(folder, data)
    assert frames is not None
    assert frames.lost is None
    return [(span.start, span.stop, span.length_s) for span in frames.spans(len(data))]


def test_overwritten_pal_frames_are_left_out(tmp_path: Path) -> None:
    size, of_one = PAL * SEQUENCE, Fraction(1, 25)
    data = bytes(500) + 2 * frame(PAL) + bytes(3 * size) + 2 * frame(PAL) + bytes(size) + frame(PAL)
    assert spans(tmp_path, data) == [
        (500, 500 + 2 * size, 5 * of_one),
        (500 + 5 * size, 500 + 7 * size, 3 * of_one),
        (500 + 8 * size, 500 + 9 * size, of_one),
    ]
    # At the end, and in the last frame.
    for gone in (1, 3):
        assert spans(tmp_path, 2 * frame(PAL) + bytes(gone * size)) == [(0, 2 * size, (2 + gone) * of_one)]


def test_frames_that_keep_their_kind_are_not_left_out(tmp_path: Path) -> None:
    # What tells FFmpeg the system is still there, or says nothing that it knows.
    for instead in (bytes(3) + frame(PAL)[3:], b"\xff" * (PAL * SEQUENCE)):
        assert spans(tmp_path, 2 * frame(PAL) + instead + 2 * frame(PAL)) == []
    assert spans(tmp_path, 2 * frame(NTSC) + bytes(3 * NTSC * SEQUENCE) + 2 * frame(NTSC)) == []


@pytest.mark.parametrize(("sequences", "rate"), [(NTSC, Fraction(30000, 1001)), (PAL, Fraction(25))])
@pytest.mark.parametrize("kind", [0x04, 0x14, 0x18])
def test_noise_that_begins_like_another_kind_is_left_out(
    sequences: int, rate: Fraction, kind: int, tmp_path: Path
) -> None:
    size, whole = sequences * SEQUENCE, frame(sequences)
    noise = bytearray(b"\xa5" * size)
    noise[80 * 5 + 48 + 3] = kind
    half_a_header = bytearray(whole)
    half_a_header[256:] = noise[256:SEQUENCE] + whole[SEQUENCE:]
    for instead in (bytes(noise), bytes(half_a_header)):
        assert spans(tmp_path, whole + instead + whole) == [
            (0, size, 2 / rate),
            (2 * size, 3 * size, 1 / rate),
        ]


def test_a_recording_of_the_other_system_is_no_damage(tmp_path: Path) -> None:
    frames = found(tmp_path, 3 * frame(PAL) + 3 * frame(NTSC))
    assert frames is not None
    assert (frames.lost, frames.rest_bytes) == (None, 0)


def test_other_kinds_of_dv_are_left_alone(tmp_path: Path) -> None:
    assert found(tmp_path, 3 * frame(NTSC, kind=4)) is None
    assert found(tmp_path, bytes(300_000)) is None
    assert found(tmp_path, b"") is None
