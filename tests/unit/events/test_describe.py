"""Plans in words: one line for each thing that was decided, and nothing that a terminal would act on."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError, UsageError
from vhsbatch.events.describe import describe_outcome, describe_plan, frame_rate
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder
from vhsbatch.model.plan import Job
from vhsbatch.restore.planner import Toolchain, make_plan


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(25), "25 fps"),
        (Fraction(50), "50 fps"),
        (make.NTSC_RATE, "29.97 fps"),
        (make.NTSC_RATE * 2, "59.94 fps"),
        (Fraction(24000, 1001), "23.976 fps"),
        (Fraction(120000, 1001), "119.88 fps"),
        (Fraction(25, 2), "12.5 fps"),
        (Fraction(100), "100 fps"),
        (Fraction(1, 3), "0.33333 fps"),
    ],
)
def test_frame_rates(rate: Fraction, text: str) -> None:
    assert frame_rate(rate) == text


def test_a_plan_in_words() -> None:
    info = make.info(make.track(frames=5 * 60 * 30), notes=("3 frames were missing: filled",))
    means = Toolchain(
        engine="ffmpeg",
        upscaling=None,
        encoder="libx264",
        container="mp4",
        identity={},
        notes=("encoder: libx264",),
    )
    preset = Preset(name="vhs")
    plan = make_plan(make.job(), info, preset, resolve(info.video, preset), means)
    assert list(describe_plan(plan)) == [
        "from 720x480 dvvideo, 29.97 fps, 5:00, 1 audio track",
        "to 1440x1080 libx264 in mp4, 59.94 fps, 18000 frames in 5 segments, preset vhs",
        "3 frames were missing: filled",
        "interlaced, bottom field first (DV): deinterlaced with bwdif, a frame from each field",
        "encoder: libx264",
    ]


@pytest.mark.parametrize(
    ("tracks", "segments", "sound", "cut"),
    [
        (0, 1, "0 audio tracks", "in 1 segment,"),
        (1, 2, "1 audio track", "in 2 segments,"),
        (2, 3, "2 audio tracks", "in 3 segments,"),
    ],
)
def test_one_is_not_many(tracks: int, segments: int, sound: str, cut: str) -> None:
    info = make.info(audio=tuple(make.sound(index=number) for number in range(1, tracks + 1)))
    source, result = describe_plan(make.plan(info=info, segments=segments))
    assert source.endswith(f", {sound}")
    assert cut in result


def test_a_long_progressive_source() -> None:
    tape = make.track(
        codec="h264", width=640, rate=Fraction(25), frames=25 * 3723, field_order=FieldOrder.PROGRESSIVE
    )
    source, _ = describe_plan(make.plan(info=make.info(tape, audio=())))
    assert source == "from 640x480 h264, 25 fps, 1:02:03, 0 audio tracks"


def test_every_video_of_a_dry_run() -> None:
    first, second = make.job(1), make.job(2)
    plan = [
        "  from 720x480 dvvideo, 29.97 fps, 0:10, 1 audio track",
        "  to 1440x1080 libx264 in mp4, 59.94 fps, 60 frames in 2 segments, preset vhs",
    ]
    planned = describe_outcome(first, 3, make.plan(first, notes=("why",)), estimate="long", remark="again")
    assert list(planned) == [
        "[1/3] tape1.dv -> tape1_1080p.mp4",
        *plan,
        "  why",
        "  long",
        "  again",
    ]
    failed = describe_outcome(second, 3, InputError("no video stream", fix="check the file with a player"))
    assert list(failed) == [
        "[2/3] tape2.dv -> tape2_1080p.mp4",
        "  would fail: no video stream (check the file with a player)",
    ]
    assert list(describe_outcome(first, 1, "already made")) == [
        "[1/1] tape1.dv -> tape1_1080p.mp4",
        "  kept: already made",
    ]


@given(
    text=st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(
        lambda text: text not in (".", "..")
    )
)
def test_nothing_foreign_breaks_a_line_or_reaches_the_terminal(text: str) -> None:
    job = Job(id=f"{text}.mp4", index=1, source=Path("/in") / text, output=Path("/out") / text)
    plan = make.plan(job, info=make.info(make.track(codec=text)), notes=(text,))
    for made in (plan, UsageError(text)):
        lines = list(describe_outcome(job, 1, made))
        assert len(lines) == (4 if made is plan else 2)
        assert not set("".join(lines)) & set("\n\r\x1b\x07\x08\x9b\u2028\u202e")
