from fractions import Fraction
from pathlib import Path

import pytest

import make
from vhsbatch.ffmpeg.snapshot_commands import after_command, before_command, snapshot_size
from vhsbatch.model.media import Colour

PICTURE = Path("/out/still.jpg")


def value_of(option: str, command: tuple[str, ...]) -> str:
    return command[command.index(option) + 1]


@pytest.mark.parametrize(
    ("width", "height", "sar", "size"),
    [
        (1440, 1080, Fraction(1), (960, 720)),
        (320, 240, Fraction(1), (320, 240)),
        (720, 576, Fraction(16, 15), (768, 576)),
    ],
)
def test_stills_have_square_pixels_and_fit_on_a_page(
    width: int, height: int, sar: Fraction, size: tuple[int, int]
) -> None:
    assert snapshot_size(make.plan(width=width, height=height, sar=sar)) == size


def test_a_seek_before_the_moment_leaves_room_for_one_that_lands_late() -> None:
    plan = make.plan(info=make.info(make.track(start_s=Fraction(1, 2))))
    command = before_command("ffmpeg", plan, Fraction(60), PICTURE)
    assert value_of("-ss", command) == "57.500000"
    filters = value_of("-vf", command)
    assert filters.startswith("trim=start=60.491658,crop=720:480:0:0:exact=1,setparams=")
    assert ",scale=960:720:" in filters
    assert value_of("-ss", after_command("ffmpeg", plan, Fraction(60), PICTURE)) == "60.000000"


def test_where_seeks_are_not_exact_there_is_none() -> None:
    plan = make.plan(info=make.info(exact_seek=False))
    assert "-ss" not in before_command("ffmpeg", plan, Fraction(20), PICTURE)


def test_the_source_is_cut_and_turned_like_the_output() -> None:
    plan = make.plan(info=make.info(make.track(rotation_degrees=90)))
    assert "crop=720:480:0:0:exact=1,transpose=clock,setparams=" in value_of(
        "-vf", before_command("ffmpeg", plan, Fraction(1), PICTURE)
    )


def test_a_still_of_hdr_is_one_of_sdr() -> None:
    colour = Colour(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084", range="tv")
    plan = make.plan(info=make.info(make.track(pixel_format="yuv420p10le", colour=colour)))
    filters = value_of("-vf", before_command("ffmpeg", plan, Fraction(1), PICTURE))
    assert filters.index("tin=smpte2084") < filters.index("tonemap=") < filters.index("in_color_matrix=bt709")
