"""Output folders on file systems that can do less: FAT, exFAT, shares. A library imitates their refusals."""

import os
import resource
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

import program
from clips import make_clip

OPTIONS = ("-r", "240", "--engine", "ffmpeg", "--parallel", "1", "--json")

# What FAT, exFAT and shares answer: no links, no locks, no modes, no nameless files, no folder to sync, none
# of the signs that Windows reserves; and, where it is asked for, files of less than 4 GiB alone.
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#define REFUSE(code) do { errno = (code); return -1; } while (0)
int link(const char *a, const char *b) { REFUSE(EPERM); }
int linkat(int a, const char *b, int c, const char *d, int e) { REFUSE(EPERM); }
int symlink(const char *a, const char *b) { REFUSE(EPERM); }
int flock(int a, int b) { REFUSE(ENOLCK); }
int chmod(const char *a, mode_t b) { REFUSE(EPERM); }
int fchmod(int a, mode_t b) { REFUSE(EPERM); }
int fchmodat(int a, const char *b, mode_t c, int d) { REFUSE(EPERM); }
int fsync(int f) {
    static int (*real)(int);
    struct stat s;
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    if (!fstat(f, &s) && S_ISDIR(s.st_mode)) REFUSE(EINVAL);
    return real(f);
}
static int refused(const char *path) {
    const char *name = strrchr(path, '/');
    return strpbrk(name ? name + 1 : path, ":*?\"<>|\\") != NULL;
}
int mkdir(const char *path, mode_t mode) {
    static int (*real)(const char *, mode_t);
    if (!real) real = dlsym(RTLD_NEXT, "mkdir");
    if (refused(path)) REFUSE(EINVAL);
    return real(path, mode);
}
static int opened(const char *symbol, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, mode_t) = dlsym(RTLD_NEXT, symbol);
    if ((flags & O_TMPFILE) == O_TMPFILE) REFUSE(EOPNOTSUPP);
    if ((flags & O_CREAT) && refused(path)) REFUSE(EINVAL);
    return real(path, flags, mode);
}
#define MODE mode_t mode = 0; va_list l; va_start(l, flags); \
    if (flags & O_CREAT) mode = va_arg(l, int); va_end(l)
int open(const char *path, int flags, ...) { MODE; return opened("open", path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE; return opened("open64", path, flags, mode); }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("a library that refuses needs a C compiler")
    folder = tmp_path_factory.mktemp("library")
    (folder / "refusals.c").write_text(LIBRARY)
    made = folder / "refusals.so"
    command = [compiler, "-w", "-shared", "-fPIC", "-o", str(made), str(folder / "refusals.c"), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a library that refuses cannot be made here: {done.stderr[:200]}")
    return str(made)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    return make_clip(path, "-c:v", "ffv1", "-g", "1", "-an", seconds=0.5, size="160x120", scan="progressive")


def tapes(folder: Path, clip: Path, *names: str) -> None:
    (folder / "in").mkdir()
    for name in names:
        shutil.copy2(clip, folder / "in" / name)


def batch(folder: Path, library: str, *options: str) -> list[dict[str, object]]:
    """The events of a batch, which must end by itself."""
    variables = {"LD_PRELOAD": library}
    started = program.start("batch", "in", "out", *OPTIONS, *options, cwd=folder, variables=variables)
    stdout, stderr = started.communicate(timeout=program.PATIENCE_S)
    assert "Traceback" not in stderr
    return program.events(stdout)


def of_kind(events: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
    return [event for event in events if event["kind"] == kind]


def test_results_are_made_and_proven_where_there_are_no_links_locks_or_modes(
    library: str, clip: Path, tmp_path: Path
) -> None:
    tapes(tmp_path, clip, "tape.avi")
    assert of_kind(batch(tmp_path, library), "batch_finished")[0]["exit_code"] == 0
    verified = program.run("verify", "out", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    again = of_kind(batch(tmp_path, library, "--resume"), "job_skipped")
    assert [event["job_id"] for event in again] == ["tape_240p.mp4"]
    left = {
        path.name
        for path in (tmp_path / "out" / ".vhsbatch").iterdir()
        if path.is_dir() and any(path.iterdir())
    }
    assert left <= {"journal", "snapshots"}


def test_a_name_that_cannot_be_is_refused_before_the_work(library: str, clip: Path, tmp_path: Path) -> None:
    tapes(tmp_path, clip, "Christmas: 1991?.avi", "fine.avi")
    events = batch(tmp_path, library)
    (failed,) = of_kind(events, "job_failed")
    assert "allows no file named Christmas: 1991?_240p.mp4: it has : ? in it" in str(failed["reason"])
    assert {event["job_id"] for event in of_kind(events, "segment_started")} == {"fine_240p.mp4"}
    assert [event["job_id"] for event in of_kind(events, "job_published")] == ["fine_240p.mp4"]


def test_a_result_that_is_too_large_a_file_is_refused_before_the_work(clip: Path, tmp_path: Path) -> None:
    tapes(tmp_path, clip, "tape.avi")
    (tmp_path / "presets.toml").write_text('[huge]\ninherits = "clean"\nvideo = { encoder = "ffv1" }\n')
    (tmp_path / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    # In the place of 4 GiB.
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2**16, resource.RLIM_INFINITY))
    started = program.start("batch", "in", "out", "-p", "huge", *OPTIONS, cwd=tmp_path, preexec_fn=limit)
    events = program.events(started.communicate(timeout=program.PATIENCE_S)[0])
    (failed,) = of_kind(events, "job_failed")
    assert "files of up to 64.0 KiB (move the output folder" in str(failed["reason"])
    assert of_kind(events, "segment_started") == []


def test_a_name_that_is_too_long_is_refused_before_the_work(clip: Path, tmp_path: Path) -> None:
    tapes(tmp_path, clip, "tape.avi")
    name = "x" * 248 + ".mp4"
    done = program.run("upscale", "in/tape.avi", "-o", name, "-r", "240", "--engine", "ffmpeg", cwd=tmp_path)
    assert done.returncode == 1
    assert f"the name {name}.json has 257 bytes, and the output folder's file system takes 255" in done.stdout
    assert not os.path.lexists(tmp_path / name)
