"""What is a 3D LUT, and what only has the name of one."""

import os
from itertools import product
from pathlib import Path

import pytest

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.lut import expect_lut

POINTS = "".join(f"{red} {green} {blue}\n" for blue, green, red in product((0, 1), repeat=3))
HEAD = '# by hand\nTITLE "warm"\n\nLUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1.0 1.0 1.0\n'


@pytest.mark.parametrize(
    "content", [HEAD + POINTS, HEAD + POINTS.replace("1", "-9.5e-1").replace("\n", " \r\n")]
)
def test_a_cube_is_one(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.CUBE").write_text(content)
    expect_lut(tmp_path / "a.CUBE")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it has no line LUT_3D_SIZE"),
        ("root:x:0:0:root:/root:/bin/bash\n", "it has no line LUT_3D_SIZE"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n", "it has no line LUT_3D_SIZE"),
        ("LUT_3D_SIZE 1\n", "line 1 gives no size from 2 to 256"),
        ("LUT_3D_SIZE 99999999999\n", "line 1 gives no size from 2 to 256"),
        (HEAD + POINTS[:-6], "it has 7 points of 8"),
        (HEAD + POINTS.replace("1 1 1", "1 1"), "line 14 holds no three numbers"),
        (HEAD + POINTS.replace("0 0 0", "0 nan 0"), "line 7 holds no three numbers"),
        (HEAD + POINTS.replace("0 0 0", "0 +x 0"), "line 7 holds no three numbers"),
        ("\0" * 100, "line 1 holds no three numbers"),
    ],
)
def test_what_is_none_is_refused_with_the_place(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.cube").write_text(content)
    with pytest.raises(InputError, match=f"a.cube is not a 3D LUT: {said}"):
        expect_lut(tmp_path / "a.cube")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.cube")
    (tmp_path / "zero.cube").symlink_to("/dev/zero")
    (tmp_path / "folder.cube").mkdir()
    names = {
        "pipe.cube": "it is not a regular file",
        "zero.cube": "it is not a regular file",
        "folder.cube": "Is a directory",
        "gone.cube": "No such file",
        "a\0.cube": "embedded null",
        "/etc/passwd": "its name does not end in .cube",
    }
    for name, said in names.items():
        with pytest.raises(InputError, match=said):
            expect_lut(tmp_path / name)


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "a.cube"
    path.write_text(HEAD + POINTS)
    expect_lut(path)
    path.write_text(HEAD)
    with pytest.raises(InputError, match="0 points of 8"):
        expect_lut(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.cube").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="it is larger than 64 MiB"):
        expect_lut(tmp_path / "a.cube")
