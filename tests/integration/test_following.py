"""What follows a batch: the user's own commands, and messages."""

import contextlib
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
from vhsbatch.integrations.hooks import run_told

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
    integration = ("--on-batch", fail, "--notify-on", "all")
    process = program.start("batch", captures, "out", *QUICK, *integration, cwd=tmp_path)
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
    assert "--notify: json://... did not accept the message" in done.stderr
    assert "secret" not in done.stdout + done.stderr


REFUSALS = [
    (("--on-video", "sh '"), "--on-video sh ': cannot be split into words: No closing quotation"),
    (("--on-batch", "./missing"), "--on-batch: there is no program './missing' (give its path,"),
    (
        ("--notify", "nowhere://me:secret@x"),
        "--notify: nowhere://... is not an address that Apprise supports",
    ),
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
    sleep = ("sh", "-c", f"sleep 600; touch {mark}")
    started_s = time.monotonic()
    with pytest.raises(TimeoutError):
        await run_told(sleep, {}, timeout_s=0.5, niceness=0)
    assert time.monotonic() - started_s < program.PATIENCE_S
    program.wait_until_gone(mark)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows whose a process was")
@pytest.mark.parametrize("leaves", ["{it} &", "setsid {it} &", "(trap '' TERM; setsid {it}) & sleep 760"])
async def test_nothing_that_a_command_leaves_behind_outlives_it(leaves: str, tmp_path: Path) -> None:
    started_s = time.monotonic()
    command = ("sh", "-c", leaves.format(it=f"sh -c 'sleep 770; : {tmp_path}'"))
    with contextlib.suppress(TimeoutError):
        await run_told(command, {}, timeout_s=2, niceness=0)
    assert time.monotonic() - started_s < program.PATIENCE_S
    program.wait_until_gone(tmp_path)


async def test_a_command_may_write_as_much_as_it_likes() -> None:
    flood = "head -c 300000000 /dev/zero >&2; head -c 300000000 /dev/zero; echo the end >&2; exit 3"
    problem = await run_told(("sh", "-c", flood), {}, timeout_s=60, niceness=0)
    assert problem is not None
    assert problem.startswith("exit code 3: ")
    assert problem.endswith("the end")


async def test_a_command_may_close_what_it_is_told() -> None:
    told = {"much": "x" * 1_000_000}
    assert await run_told(("sh", "-c", "exec <&-; exit 0"), told, timeout_s=60, niceness=0) is None


async def test_a_command_that_cannot_be_run_is_told_of(tmp_path: Path) -> None:
    program_file = tmp_path / "hook"
    program_file.write_text("")
    problem = await run_told((str(program_file),), {}, timeout_s=60, niceness=0)
    assert problem is not None
    assert "Permission denied" in problem


def test_commands_need_no_folder_for_temporary_files(captures: Path, tmp_path: Path) -> None:
    keep = script(tmp_path / "keep", "cat >> told")
    process = program.start(
        *("batch", captures, "out", *QUICK, "--on-video", keep, "--on-batch", keep),
        cwd=tmp_path,
        variables={"TMPDIR": "/proc/nowhere"},
    )
    _, err = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 1
    assert len((tmp_path / "told").read_text().splitlines()) == 3
    assert "not affected" not in err


@pytest.mark.parametrize(
    ("option", "number"),
    [("--on-video", signal.SIGTERM), ("--on-batch", signal.SIGINT), ("--on-batch", signal.SIGHUP)],
)
def test_a_command_that_hangs_does_not_keep_a_batch_from_ending(
    option: str, number: int, captures: Path, tmp_path: Path
) -> None:
    hang = script(
        tmp_path / "hang",
        f"trap '' TERM INT HUP; setsid sh -c 'sleep 78; : {tmp_path}' & touch mark; sleep 78",
    )
    process = program.start("batch", captures, "out", *QUICK, option, hang, cwd=tmp_path)
    while not (tmp_path / "mark").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    sent_s = time.monotonic()
    process.communicate(timeout=program.PATIENCE_S)
    assert time.monotonic() - sent_s < program.GONE_S
    program.wait_until_gone(tmp_path)


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
    out, err = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 1  # the batch had ended before
    assert "Failed:       1" in out
    assert "it was ended with the batch" in err
