"""What may be stacked, and what may not be replaced."""

from fractions import Fraction
from pathlib import Path

import pytest

import make
from vhsbatch.errors import InputError, UsageError
from vhsbatch.restore.record import is_record
from vhsbatch.restore.stack import expect_alike, expect_place, stack_record_path


def test_captures_of_another_size_or_rate_are_refused() -> None:
    one = make.info()
    expect_alike([one, make.info(make.track(frames=12, pixel_format="yuv422p"))])
    for track in (make.track(height=576), make.track(rate=Fraction(25))):
        with pytest.raises(InputError, match="one size and rate"):
            expect_alike([one, make.info(track)])


def test_turned_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="turned"):
        expect_alike([make.info(), make.info(make.track(rotation_degrees=90))])


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    capture, output = tmp_path / "a.mkv", tmp_path / "out.mkv"
    capture.write_bytes(b"a")
    expect_place(output, [capture], overwrite=False)
    output.write_bytes(b"mine")
    with pytest.raises(UsageError, match="--overwrite"):
        expect_place(output, [capture], overwrite=False)
    expect_place(output, [capture], overwrite=True)


def test_a_record_of_another_stack_is_not_replaced_unasked(tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    stack_record_path(output).write_bytes(b"{}")
    with pytest.raises(UsageError, match=r"stack\.json"):
        expect_place(output, [], overwrite=False)


@pytest.mark.parametrize("link", [False, True])
def test_a_capture_is_never_replaced(tmp_path: Path, link: bool) -> None:
    capture = tmp_path / "a.mkv"
    capture.write_bytes(b"a")
    output = capture
    if link:
        output = tmp_path / "b.mkv"
        output.hardlink_to(capture)
    with pytest.raises(UsageError, match="one of the captures"):
        expect_place(output, [capture], overwrite=True)


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.mkv").mkdir()
    with pytest.raises(UsageError, match="regular file"):
        expect_place(tmp_path / "out.mkv", [], overwrite=True)


def test_other_containers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mkv"):
        expect_place(tmp_path / "out.mp4", [], overwrite=False)


def test_a_stacked_capture_does_not_look_like_a_result() -> None:
    """Or it could not be restored."""
    assert not is_record(stack_record_path(Path("/out/tape.mkv")))
