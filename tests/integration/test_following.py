"""What follows a batch: the user's own commands, and messages."""

import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import program
from clips import make_clip
from vhsbatch.following.hooks import run_told

pytestmark = pytest.mark.anyio

WEB = ("-c:v", "libx264", "-c:a", "aac")
QUICK = ("-r", "120", "--engine", "ffmpeg", "--no-tui")
NAME = "a'b <b>$(touch pwned)& \x1b[31m.mp4"


class Service(HTTPServer):
    """Takes the messages that are sent to it."""

    messages: list[dict[str, Any]]

    @property
    def address(self) -> str:
        return f"json://user:secret@localhost:{self.server_port}"


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Service)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service(("localhost", 0), _Take)
    server.messages = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    made = make_clip(folder / "clip.mp4", *WEB, scan="progressive", seconds=0.3, size="96x64")
    made.rename(folder / NAME)
    (folder / "torn.avi").write_text("no video\n")
    return folder


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_commands_and_messages_follow_a_batch(
    captures: Path, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = script(tmp_path / "keep it.sh", 'cat >> "$1"; echo "$0" >> seen')
    fail = "sh -c 'echo no luck >&2; exit 3'"
    # Stands in for the desktop.
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    script(bin_folder / "notify-send", f'printf "%s\\n" "$@" > {tmp_path}/desktop')
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    (tmp_path / "vhsbatch.toml").write_text(
        f'notify = ["{service.address}"]\non_video = ["{keep}", "videos.jsonl"]\n'
    )
    follow = ("--on-batch", fail, "--notify-on", "all")
    process = program.start("batch", captures, "out", *QUICK, *follow, cwd=tmp_path)
    out, err = process.communicate()

    # Two commands and a service later, the batch is what it is without them.
    assert process.returncode == 1
    assert "Successful:   1" in out
    assert f"--on-batch {fail}: exit code 3: no luck; the batch is not affected" in err
    videos = [json.loads(line) for line in (tmp_path / "videos.jsonl").read_text().splitlines()]
    done, failed = sorted(videos, key=lambda video: str(video["outcome"]))
    assert (done["outcome"], Path(done["source"]).name) == ("done", NAME)
    assert done["record"]["output"]["sha256"] == done["sha256"]
    assert (failed["outcome"], failed["record"]) == ("failed", None)
    assert failed["reason"]
    assert not list(tmp_path.rglob("pwned"))

    titles = [message["title"] for message in service.messages]
    assert titles == ["vhs-upscale: torn.avi failed", "vhs-upscale: complete, 1 of 2 done, 1 failed"]
    assert "torn.avi: " in service.messages[1]["message"]

    # The same end on the desktop; what a desktop would take for markup is text.
    account = tmp_path / "batch.json"
    again = ("--skip-existing", "--on-batch", f"'{keep}' {account}", "--notify", "desktop")
    process = program.start("batch", captures, "out", *QUICK, *again, cwd=tmp_path)
    process.communicate()
    shown = (tmp_path / "desktop").read_text().splitlines()
    assert shown[:4] == [
        "--app-name=vhs-upscale",
        "--urgency=critical",
        "--",
        "vhs-upscale: complete, 1 of 2 done, 1 failed",
    ]
    assert "-&gt; out" in shown[4]
    batch = json.loads(account.read_text())
    assert (batch["outcome"], batch["exit_code"], batch["skipped"], batch["failed"]) == ("complete", 1, 1, 1)
    # A video that needs no work is no news.
    assert len((tmp_path / "videos.jsonl").read_text().splitlines()) == 3


def test_an_unreachable_service_is_one_line_without_its_password(captures: Path, tmp_path: Path) -> None:
    done = program.run(
        *(
            "batch",
            captures,
            "out",
            *QUICK,
            "--pattern",
            "torn*",
            "--notify",
            "json://user:secret@localhost:9",
        ),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "--notify: json://... did not take the message" in done.stderr
    assert "secret" not in done.stdout + done.stderr


REFUSALS = [
    (("--on-video", "sh '"), "--on-video sh ': cannot be split into words: No closing quotation"),
    (("--on-batch", "./missing"), "--on-batch: there is no program './missing' (give its path,"),
    (("--notify", "nowhere://me:secret@x"), "--notify: nowhere://... is no address that Apprise knows"),
]


@pytest.mark.parametrize(("options", "line"), REFUSALS, ids=[" ".join(row[0]) for row in REFUSALS])
def test_what_cannot_work_is_refused_first(
    options: tuple[str, ...], line: str, captures: Path, tmp_path: Path
) -> None:
    done = program.run("batch", captures, "out", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_addresses_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "vhsbatch.toml").write_text('notify = ["mailto://me:secret@example.org", "desktop"]\n')
    shown = program.run("config", "show", cwd=tmp_path).stdout
    assert "mailto://..., desktop" in shown
    assert "secret" not in shown


async def test_a_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    sleep = ("sh", "-c", f"sleep 60; touch {mark}")
    started_s = time.monotonic()
    assert await run_told(sleep, {}, timeout_s=0.5, niceness=0) == (
        "it was stopped, as it had not ended after 0.5 s"
    )
    assert time.monotonic() - started_s < 30
    program.wait_until_gone(mark)


async def test_a_command_need_not_read_what_it_is_told() -> None:
    told = {"much": "x" * 1_000_000}
    assert await run_told((sys.executable, "-c", ""), told, timeout_s=60, niceness=0) is None


async def test_a_command_that_is_killed_says_so() -> None:
    assert await run_told(("sh", "-c", "kill -9 $$"), {}, timeout_s=60, niceness=0) == (
        "it was ended by signal 9"
    )


def test_a_second_signal_ends_a_command_too(captures: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hang = f"sh -c 'touch {mark}; sleep 90'"
    process = program.start("batch", captures, "out", *QUICK, "--on-batch", hang, cwd=tmp_path)
    while not mark.exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1  # the batch had ended before
    assert "Failed:       1" in out
    assert "was ended by signal 9" in err
