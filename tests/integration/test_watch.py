"""A folder that is watched, with files that really grow, a restart, and a service manager."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

import program
from clips import FFMPEG, make_clip
from vhsbatch.restore.verify import count_frames

pytestmark = pytest.mark.anyio

WEB = ("-c:v", "libx264", "-g", "1", "-qp", "0", "-c:a", "aac")
OPTIONS = ("-r", "120", "--engine", "ffmpeg", "--settle", "4", "--json")


class Manager:
    """Listens like a service manager."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while (message := self._socket.recv(65536)) != b"end":
            self.lines += message.decode().splitlines()

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"end", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    path = tmp_path / "notify"
    listening = Manager(path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    yield listening
    listening.close()


@contextmanager
def watching(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    with program.start("watch", *arguments, *OPTIONS, cwd=cwd) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def stop(process: subprocess.Popen[str], number: int) -> tuple[str, str]:
    process.send_signal(number)
    return process.communicate(timeout=program.PATIENCE_S)


async def test_what_arrives_is_restored_once_and_results_are_no_captures(
    manager: Manager, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", *WEB, scan="progressive", seconds=1, size="96x64")
    folder = tmp_path / "tapes"
    folder.mkdir()
    shutil.copy2(clip, folder / "a.mp4")
    # Results land among the captures.
    with watching("tapes", "tapes", cwd=tmp_path) as process:
        assert program.wait_for_event(process, "job_published")["job_id"] == "a_120p.mp4"
        content = clip.read_bytes()
        with (folder / "b.mp4").open("wb", buffering=0) as growing:
            piece = len(content) // 10 + 1
            for start in range(0, len(content), piece):
                growing.write(content[start : start + piece])
                await anyio.sleep(0.3)
        assert program.wait_for_event(process, "job_published")["job_id"] == "b_120p.mp4"
        assert await count_frames(folder / "b_120p.mp4", ffmpeg=FFMPEG, threads=1) == 30
        program.wait_for_event(process, "batch_finished")
        await anyio.sleep(5)  # long enough to take a result for a capture
        out, err = stop(process, signal.SIGTERM)
        assert process.returncode == 143, err
        assert program.events(out) == []

    assert manager.lines.count("READY=1") == 1
    assert "WATCHDOG=1" in manager.lines
    assert any(line.startswith("STATUS=100%, 1 of 1 video, ") for line in manager.lines)
    assert "STOPPING=1" in manager.lines

    # After a restart, only what is new is work; a capture that was replaced is new.
    shutil.copy2(clip, folder / "c.mp4")
    os.utime(folder / "a.mp4", (1_000_000_000, 1_000_000_000))
    with watching("tapes", "tapes", "--poll", "1", cwd=tmp_path) as process:
        begun = program.wait_for_event(process, "batch_started")
        assert [job["id"] for job in begun["jobs"]] == ["a_120p.mp4", "c_120p.mp4"]
        program.wait_for_event(process, "batch_finished")
        # Polling finds what comes later too; a torn file fails once and is not tried again.
        (folder / "d.mp4").write_bytes(content[: len(content) // 2])
        assert program.wait_for_event(process, "job_failed")["job_id"] == "d_120p.mp4"
        program.wait_for_event(process, "batch_finished")
        await anyio.sleep(5)
        out, err = stop(process, signal.SIGINT)
        assert process.returncode == 130, err
        assert program.events(out) == []


def test_a_stop_in_the_middle_keeps_what_is_finished(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "long.mp4", *WEB, scan="progressive", seconds=8, size="96x64")
    (tmp_path / "presets.toml").write_text('[short]\nsegment_s = 1\ninherits = "vhs"\n')
    (tmp_path / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    with watching("in", "out", "-p", "short", cwd=tmp_path) as process:
        program.wait_for_event(process, "segment_finished")
        out, err = stop(process, signal.SIGTERM)
        assert process.returncode == 143, err
        assert program.events(out)[-1]["outcome"] == "interrupted"
    program.wait_until_gone(tmp_path)

    with watching("in", "out", "-p", "short", cwd=tmp_path) as process:
        assert program.wait_for_event(process, "segment_started")["segment"] > 0
        program.wait_for_event(process, "job_published")
        stop(process, signal.SIGTERM)


def test_parts_that_a_name_announces_are_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    clip = make_clip(tmp_path / "clip.mp4", *WEB, scan="progressive", seconds=1, size="96x64")
    for name in ("GH010007.mp4", "GH030007.mp4", "other.mp4"):
        shutil.copy2(clip, folder / name)
    with watching("in", "out", cwd=tmp_path) as process:
        # What waits keeps nothing else from being restored.
        begun = program.wait_for_event(process, "batch_started")
        assert [job["id"] for job in begun["jobs"]] == ["other_120p.mp4"]
        program.wait_for_event(process, "batch_finished")
        shutil.copy2(clip, folder / "GH020007.mp4")
        begun = program.wait_for_event(process, "batch_started")
        assert [len(job["parts"]) for job in begun["jobs"]] == [3]
        assert program.wait_for_event(process, "job_published")["job_id"] == "GH010007_joined_120p.mp4"
        _, said = stop(process, signal.SIGTERM)
    way = "('vhs-upscale batch', or --join none, restores it without)"
    for name, where in (("GH010007.mp4", "after"), ("GH030007.mp4", "before")):
        line = f"{name} waits: GH020007.mp4, which comes {where} it, is not there {way}"
        assert said.count(line) == 1
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 2


REFUSALS = [
    (("nowhere", "out"), "input folder nowhere does not exist, or is not a folder (create it)"),
    ((".", "out", "--settle", "0"), "--settle 0: must be more than 0 seconds"),
    ((".", "out", "--poll", "-1"), "--poll -1: must be more than 0 seconds"),
    ((".", "out", "--dry-run"), "--dry-run cannot be used with watch (use 'vhs-upscale batch')"),
    ((".", "out", "-p", "vsh"), "there is no preset 'vsh' (did you mean 'vhs'?"),
    ((".",), "OUTPUT_FOLDER is missing (vhs-upscale watch IN OUT; without both, the [[watch]] tables of a"),
    ((), "INPUT_FOLDER and OUTPUT_FOLDER are missing, and no configuration file has [[watch]] tables"),
]


@pytest.mark.parametrize(("arguments", "line"), REFUSALS, ids=[" ".join(row[0]) for row in REFUSALS])
def test_what_cannot_be_watched_is_refused(arguments: tuple[str, ...], line: str, tmp_path: Path) -> None:
    done = program.run("watch", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr


TABLES = [
    ('input = "tapes"\noutpt = "out"', "watch.1.outpt: unknown key (did you mean 'watch.output'?)"),
    ('input = "tapes"', "watch.1.output: is missing"),
    ('input = 3\noutput = "out"', "watch.1.input = 3: must be a path"),
    ('input = "tapes"\noutput = "out"\npreset = "vsh"', "watch.1.preset: there is no preset 'vsh' (did you"),
    ('input = "nowhere"\noutput = "out"', "nowhere does not exist, nor does any other (create it)"),
    (
        'input = "new"\noutput = "tapes"\n[[watch]]\ninput = "tapes"\noutput = "out"',
        "tapes is the output of watch.1 (choose another output, or add --from-results)",
    ),
]


@pytest.mark.parametrize(("table", "line"), TABLES)
def test_a_wrong_table_is_refused_with_the_file_and_the_key(table: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    (tmp_path / "folders.toml").write_text(f"[[watch]]\n{table}\n")
    done = program.run("watch", "--config", "folders.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"vhs-upscale: {tmp_path / 'folders.toml'}: watch.")
    assert line in done.stderr


def test_a_measured_preset_and_one_of_a_table_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    (tmp_path / "vhsbatch.toml").write_text('[[watch]]\ninput = "tapes"\noutput = "out"\npreset = "dvd"\n')
    done = program.run("watch", "--auto-detect", cwd=tmp_path)
    assert done.returncode == 2
    assert "watch.1.preset: --auto-detect chooses the preset, but this names dvd" in done.stderr


def test_several_folders_have_their_own_presets_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", *WEB, scan="progressive", seconds=1, size="96x64")
    for name in ("family", "broken", "films"):
        (tmp_path / name).mkdir()
        shutil.copy2(clip, tmp_path / name / f"{name}.mp4")
    (tmp_path / "no folder").touch()
    presets = {"broken": "vhs", "away": "vhs", "family": "clean", "films": "youtube"}
    outputs = {name: tmp_path / ("no folder" if name == "broken" else f"of {name}") for name in presets}
    (tmp_path / "vhsbatch.toml").write_text(
        "".join(
            f'[[watch]]\ninput = "{name}"\noutput = "{outputs[name].name}"\npreset = "{preset}"\n'
            for name, preset in presets.items()
        )
    )

    def made(name: str) -> str:
        record = json.loads((outputs[name] / f"{name}_120p.mp4.json").read_text())
        preset: str = record["preset"]["name"]
        return preset

    with watching("--poll", "1", cwd=tmp_path) as process:
        for name in ("family", "films"):
            begun = program.wait_for_event(process, "batch_started")
            assert (begun["input"], begun["lanes"]) == (str(tmp_path / name), 1)
            program.wait_for_event(process, "batch_finished")
        # A folder that comes later is watched as well.
        (tmp_path / "clip.mp4").rename(tmp_path / "away.mp4")
        (tmp_path / "away").mkdir()
        (tmp_path / "away.mp4").rename(tmp_path / "away" / "away.mp4")
        program.wait_for_event(process, "job_published")
        program.wait_for_event(process, "batch_finished")
        _, err = stop(process, signal.SIGTERM)
    assert process.returncode == 143
    assert {name: made(name) for name in ("away", "family", "films")} == {
        name: presets[name] for name in ("away", "family", "films")
    }
    assert f"{tmp_path / 'broken'}: cannot write to {tmp_path / 'no folder'}: it is not a folder" in err
    assert f"input folder {tmp_path / 'away'} does not exist" in err
