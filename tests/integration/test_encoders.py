"""Every encoder on this machine: the software ones encode, the hardware ones do or say why not."""

import re
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg
from vhsbatch.config.preset_schema import EncoderSpeed, containers_for
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.encoder_choice import choose_encoder, try_encoder
from vhsbatch.ffmpeg.encoders import ENCODERS, video_arguments
from vhsbatch.ffmpeg.toolchain import names_of
from vhsbatch.process.spawn import run
from vhsbatch.restore.verify import count_frames

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

SOFTWARE = ("libx264", "libx265", "libsvtav1", "ffv1", "prores")
HARDWARE = tuple(encoder for encoder in ENCODERS if encoder not in SOFTWARE)

# Options that FFmpeg has for every encoder; the others are an encoder's own.
COMMON_OPTIONS = {"-c", "-b", "-q", "-g", "-flags", "-threads", "-global_quality", "-slices", "-level"}


@pytest.mark.parametrize("encoder", SOFTWARE)
async def test_software_encoders_work_everywhere(encoder: str) -> None:
    trial = await try_encoder(encoder, FFMPEG)
    assert (trial.encoder, trial.works, trial.reason) == (encoder, True, "")


@pytest.mark.parametrize("encoder", HARDWARE)
async def test_hardware_encoders_work_or_say_in_one_line_why_not(encoder: str) -> None:
    trial = await try_encoder(encoder, FFMPEG)
    assert trial.works == (trial.reason == "")
    assert len(trial.reason.splitlines()) <= 1
    assert trial.reason == trial.reason.strip()
    # What is missing is a device, never the right word for an option.
    assert not re.search(r"(?i)option|undefined constant", trial.reason)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("s/testsrc2=/color=c=green:/", "what it encodes is another picture"),
        ("s/libx264/rawvideo -f null/", "what it encodes does not decode"),
    ],
)
async def test_an_encoder_whose_result_is_wrong_does_not_work(what: str, said: str, tmp_path: Path) -> None:
    wrong = tmp_path / "ffmpeg"
    wrong.write_text(
        f"""#!/bin/sh
case "$*" in *libx264*) exec {FFMPEG} $(echo "$@" | sed '{what}') ;; esac
exec {FFMPEG} "$@"
"""
    )
    wrong.chmod(0o755)
    trial = await try_encoder("libx264", str(wrong))
    assert not trial.works
    assert trial.reason.startswith(said)


@pytest.mark.parametrize("encoder", ENCODERS)
async def test_ffmpeg_knows_every_option(encoder: str) -> None:
    made = video_arguments(
        encoder, quality=None, speed="medium", bit_depth=8, rate=Fraction(25), threads=1
    ).arguments
    name = made[1]
    if name not in await names_of(FFMPEG, "encoders"):
        # A Mac's encoders are in FFmpegs for Macs alone, where this test looks at them.
        assert (name.endswith("_videotoolbox"), sys.platform) == (True, "linux")
        return
    own = (await run((FFMPEG, "-hide_banner", "-h", f"encoder={name}"))).stdout.decode()
    flags = {word.partition(":")[0] for word in made if re.match("-[a-z]", word)}
    unknown = {flag for flag in flags - COMMON_OPTIONS if not re.search(rf"^ +{flag} ", own, re.MULTILINE)}
    assert unknown == set()


@pytest.mark.parametrize("bit_depth", [8, 10])
@pytest.mark.parametrize("speed", ["fastest", "slowest"])
@pytest.mark.parametrize("encoder", SOFTWARE)
async def test_what_they_write_can_be_read(
    encoder: str, speed: EncoderSpeed, bit_depth: int, tmp_path: Path
) -> None:
    made = video_arguments(
        encoder, quality=None, speed=speed, bit_depth=bit_depth, rate=Fraction(25), threads=2
    )
    for container in containers_for(encoder):
        file = tmp_path / f"clip.{container}"
        source = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "3")
        ffmpeg(*source, "-vf", f"format={made.pixel_format}", *made.arguments, file)
        assert await count_frames(file, ffmpeg=FFMPEG, threads=1) == 3


async def test_auto_gives_one_that_works_and_says_so() -> None:
    encoder, note = await choose_encoder("auto", FFMPEG)
    assert (await try_encoder(encoder, FFMPEG)).works
    assert note is not None
    assert note.startswith(f"encoder: {encoder}, ")


async def test_one_that_was_asked_for_needs_no_note() -> None:
    assert await choose_encoder("libx264", FFMPEG) == ("libx264", None)


async def test_one_that_cannot_work_here_is_refused_with_its_reason() -> None:
    # No machine has the hardware of every maker.
    trials = [await try_encoder(encoder, FFMPEG) for encoder in HARDWARE]
    broken = next(trial for trial in trials if not trial.works)
    with pytest.raises(ToolError) as caught:
        await choose_encoder(broken.encoder, FFMPEG)
    assert caught.value.cause == f"the encoder {broken.encoder} does not work here: {broken.reason}"
    assert caught.value.fix is not None
    assert "--encoder" in caught.value.fix
    assert caught.value.exit_code == 3
