"""The frame before and after, as terminals that show pictures get it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import program
from clips import ffmpeg
from shown_pictures import Shown, kitty_pictures, sixel_pictures
from terminal import WITHOUT_COLOUR, terminal

pytestmark = [pytest.mark.slow]

PURPLE = (160, 40, 160)
# The terminal says nothing of its pixels when it is asked for its size: it is asked for those of a letter.
LETTER = (8, 16)
SIZE = (120, 34)
KITTY = {
    b"a=q": b"\x1b_Gi=1;OK\x1b\\",
    b"\x1b[16t": b"\x1b[6;16;8t",
    b"\x1b[c": b"\x1b[?62;c",
    b"\x1b[>q": b"\x1bP>|kitty(0.28.0)\x1b\\",
}
SIXELS = {b"\x1b[16t": b"\x1b[6;16;8t", b"\x1b[c": b"\x1b[?64;4c"}


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a result of a noisy tape of one colour, the pictures of which are large."""
    place = tmp_path_factory.mktemp("restored")
    (place / "in").mkdir()
    purple = f"color=0x{bytes(PURPLE).hex()}:s=320x240:r=30000/1001:d=0.2,noise=alls=25:allf=t"
    ffmpeg("-f", "lavfi", "-i", purple, "-c:v", "ffv1", place / "in" / "tape.avi")
    done = program.run("batch", "in", "out", "-r", "240", "--no-report", cwd=place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.parametrize(
    ("answers", "end", "count", "decoded"),
    # Of kitty's pictures each cell shows a part of one or the other; sixels lie over the cells.
    [(KITTY, b",m=0,f=100", 2, kitty_pictures), (SIXELS, b'q"1;1', 1, sixel_pictures)],
    ids=["kitty", "sixels"],
)
def test_both_pictures_reach_a_terminal_that_shows_some(
    restored: Path,
    answers: dict[bytes, bytes],
    end: bytes,
    count: int,
    decoded: Callable[[Iterable[bytes]], list[Shown]],
) -> None:
    with terminal("attach", "out", cwd=restored, size=SIZE, answers=answers, variables={}) as screen:
        screen.wait_for("Finished 1")
        screen.press("2")
        screen.wait_for("tape.avi")
        screen.press("v")
        screen.wait_until(lambda: sum(end in part for part in screen.pictures) == count, "the pictures")
        assert sum(map(len, screen.pictures)) > 100_000 * count
        for picture in decoded(screen.pictures):
            # As high as the screen without the lines of words, in the shape of the tape.
            width, height = picture.size
            assert height == pytest.approx((SIZE[1] - 6) * LETTER[1], abs=2 * LETTER[1])
            assert height == pytest.approx(width * 3 / 4, abs=LETTER[1])
            assert picture.mean == pytest.approx(PURPLE, abs=8)
        screen.press("\x1b")
        screen.wait_for("Finished 1")
        screen.press("q")
        assert screen.finish() == 0
        assert screen.is_as_it_was


OLD_KITTY = KITTY | {b"\x1b[>q": b"\x1bP>|kitty(0.26.5)\x1b\\"}


@pytest.mark.parametrize(("answers", "variables"), [(OLD_KITTY, {}), (SIXELS, WITHOUT_COLOUR)])
def test_half_blocks_where_pictures_would_not_be_seen(
    restored: Path, answers: dict[bytes, bytes], variables: dict[str, str]
) -> None:
    with terminal("attach", "out", cwd=restored, answers=answers, variables=variables) as screen:
        screen.wait_for("Finished 1")
        screen.press("2")
        screen.wait_for("tape.avi")
        screen.press("v")
        screen.wait_for("▀▀▀")
        assert kitty_pictures(screen.pictures) == sixel_pictures(screen.pictures) == []
