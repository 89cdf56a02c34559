"""Batches on real FAT, exFAT and NTFS file systems, in images."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import disks
import program
from clips import make_clip
from disks import Disk

OPTIONS = ("-r", "240", "--engine", "ffmpeg", "--parallel", "1", "--json")
PRESETS = '[short]\ninherits = "clean"\nsegment_s = 1\n'
RESERVED = "what?.avi"

Events = list[dict[str, object]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    return make_clip(path, "-c:v", "ffv1", "-g", "1", "-an", seconds=3, size="160x120", scan="progressive")


@pytest.fixture(params=disks.KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with disks.disk(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the program is run."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "presets.toml").write_text(PRESETS)
    (folder / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    return folder


def captures(folder: Path, clip: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copyfile(clip, folder / name)
    return folder


def batch(home: Path, from_: Path, to: Path, *options: str) -> Events:
    started = program.start("batch", from_, to, "-p", "short", *OPTIONS, *options, cwd=home)
    stdout, stderr = started.communicate(timeout=program.PATIENCE_S)
    assert "Traceback" not in stderr
    return program.events(stdout)


def ids(events: Events, kind: str) -> list[str]:
    return sorted(str(event["job_id"]) for event in events if event["kind"] == kind)


def reasons(events: Events) -> dict[str, str]:
    return {str(event["job_id"]): str(event["reason"]) for event in events if event["kind"] == "job_failed"}


def test_results_are_made_verified_and_kept_after_the_disk_was_taken_out(
    disk: Disk, home: Path, clip: Path
) -> None:
    tapes = captures(home / "in", clip, "tape.avi", RESERVED)
    events = batch(home, tapes, disk.place)
    assert ids(events, "job_published") == ["tape_240p.mp4"]
    assert "allows no file named what?_240p.mp4: it has ? in it" in reasons(events)["what?_240p.mp4"]
    assert "what?_240p.mp4" not in ids(events, "segment_started")
    disk.unmount()
    disk.mount()
    verified = program.run("verify", disk.place, cwd=home)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    again = batch(home, tapes, disk.place)
    assert "tape_240p.mp4" in ids(again, "job_skipped")
    assert ids(again, "segment_started") == []


def test_a_folder_of_captures_can_be_the_output_folder(disk: Disk, home: Path, clip: Path) -> None:
    captures(disk.place, clip, "tape.avi")
    assert ids(batch(home, disk.place, disk.place), "job_published") == ["tape_240p.mp4"]
    disk.unmount()
    disk.mount()
    again = batch(home, disk.place, disk.place)
    assert ids(again, "job_skipped") == ["tape_240p.mp4"]
    assert ids(again, "segment_started") == []
    assert (disk.place / "tape.avi").read_bytes() == clip.read_bytes()


def test_names_that_differ_in_case_alone_have_results_of_their_own(
    disk: Disk, home: Path, clip: Path
) -> None:
    tapes = captures(home / "in", clip, "Tape.avi")
    other = clip.with_name("other.avi")
    make_clip(other, "-c:v", "ffv1", "-g", "1", "-an", seconds=1, size="160x120", scan="progressive")
    captures(tapes, other, "tape.avi")
    events = batch(home, tapes, disk.place)
    assert len(ids(events, "job_published")) == 2
    lengths = sorted(
        len(program.frame_digests(path).splitlines())
        for path in disk.place.iterdir()
        if path.suffix == ".mp4"
    )
    assert lengths == sorted(len(program.frame_digests(path).splitlines()) for path in tapes.iterdir())


def test_finished_segments_are_used_after_a_kill_and_a_remount(
    disk: Disk, home: Path, clip: Path, tmp_path: Path
) -> None:
    with (home / "vhsbatch.toml").open("a") as settings:
        settings.write(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    held_up = program.held_after_one_segment(tmp_path / "gate")
    tapes, out = captures(disk.place / "in", clip, "tape.avi"), disk.place / "out"
    killed = program.start("batch", tapes, out, "-p", "short", *OPTIONS, cwd=home, variables=held_up)
    program.wait_for_event(killed, "segment_finished")
    for pid in (killed.pid, *program.children(killed.pid)):
        os.kill(pid, signal.SIGKILL)
    killed.communicate()
    disk.unmount()
    disk.mount()
    resumed = program.start(
        *("batch", tapes, out, *OPTIONS, "--resume"),
        cwd=home,
        variables={**held_up, "FAKE_FFMPEG_FAULT": ""},
    )
    events = program.events(resumed.communicate(timeout=program.PATIENCE_S)[0])
    assert ids(events, "job_published") == ["tape_240p.mp4"]
    assert [event["segment"] for event in events if event["kind"] == "segment_finished"] == [1, 2]


def test_no_fact_is_lost_where_the_disk_is_pulled_out_and_comes_back(
    disk: Disk, home: Path, clip: Path, tmp_path: Path
) -> None:
    with (home / "vhsbatch.toml").open("a") as settings:
        settings.write(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    gate = tmp_path / "gate"
    tapes, out = captures(home / "in", clip, "tape.avi"), disk.place / "out"
    running = program.start(
        *("batch", tapes, out, "-p", "short", *OPTIONS),
        cwd=home,
        variables=program.held_after_one_segment(gate),
    )
    program.wait_for_event(running, "segment_finished")
    disk.pull_out()
    gate.touch()
    program.wait_for_event(running, "batch_paused")
    disk.mount()
    stdout, stderr = running.communicate(timeout=program.PATIENCE_S)
    assert running.returncode == 0, stderr
    written = [json.loads(line).get("kind") for line in journal(out).read_text().splitlines()]
    assert "batch_paused" in written
    # Every fact that was told is on the disk, in the same order, and once.
    told = [event["kind"] for event in program.events(stdout) if event["kind"] in set(written)]
    assert "batch_continued" in told
    assert written[-len(told) :] == told
    assert ids(program.events(stdout), "job_published") == ["tape_240p.mp4"]


def stop(process: subprocess.Popen[str]) -> str:
    """Ctrl-C; what was said on standard error."""
    sent_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 128 + signal.SIGINT
    assert time.monotonic() - sent_s < program.GONE_S
    assert "Traceback" not in stderr
    return stderr


TABLES = """
[[watch]]
input = "{place}/in"
output = "{place}/out"

[[watch]]
input = "in"
output = "out"
"""


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_watched_share_that_hangs_stops_no_other_folder(
    when: str, home: Path, clip: Path, tmp_path: Path
) -> None:
    with disks.disk("exfat", tmp_path) as disk:
        (disk.place / "in").mkdir()
        (home / "in").mkdir()
        with (home / "vhsbatch.toml").open("a") as settings:
            settings.write(TABLES.format(place=disk.place))
        if when == "before":
            disk.hang()
        process = program.start(
            *("watch", "--config", "vhsbatch.toml", "--settle", "0.1", "--poll", "1", "-p", "short"),
            *OPTIONS,
            cwd=home,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("watching"):
                break
        if when == "meanwhile":
            disk.hang()
        captures(home / "in", clip, "tape.avi")
        program.wait_for_event(process, "job_published")
        said = stop(process)
        assert when == "before" or "a share does not answer" in said


@pytest.mark.parametrize("answers", [True, False])
def test_a_batch_that_a_share_holds_up_holds_up_no_other_folder(
    answers: bool, home: Path, clip: Path, tmp_path: Path
) -> None:
    with disks.disk("exfat", tmp_path) as disk:
        captures(disk.place / "in", clip, "far.avi")
        (home / "in").mkdir()
        # Not the results: files that are open for writing on a share that hangs hold up every new process.
        tables = TABLES.format(place=disk.place).replace(f"{disk.place}/out", "far")
        with (home / "vhsbatch.toml").open("a") as settings:
            settings.write(tables)
        process = program.start(
            *("watch", "--config", "vhsbatch.toml", "--settle", "0.1", "--poll", "1", "-p", "short"),
            *OPTIONS,
            cwd=home,
        )
        program.wait_for_event(process, "segment_started")
        disk.hang()
        captures(home / "in", clip, "near.avi")
        assert program.wait_for_event(process, "job_published")["job_id"] == "near_240p.mp4"
        said = ""
        if answers:
            disk.answer()
            assert program.wait_for_event(process, "job_published")["job_id"] == "far_240p.mp4"
            assert process.stderr is not None
            while "it answers again" not in said:
                said += process.stderr.readline()
        said += stop(process)
        assert f"{disk.place}/in: a share does not answer; its batch waits, the others continue" in said
        assert (f"{disk.place}/in: it answers again" in said) is answers


def test_ctrl_c_ends_a_batch_whose_captures_are_on_a_share_that_hangs(
    home: Path, clip: Path, tmp_path: Path
) -> None:
    # An output folder that hangs has open files, for which the kernel waits when the program has ended.
    with disks.disk("exfat", tmp_path) as disk:
        tapes = captures(disk.place / "in", clip, "tape.avi")
        process = program.start("batch", tapes, home / "out", "-p", "short", *OPTIONS, cwd=home)
        program.wait_for_event(process, "segment_started")
        disk.hang()
        stop(process)


def journal(out: Path) -> Path:
    return out / ".vhsbatch" / "journal" / "r0000001.jsonl"
