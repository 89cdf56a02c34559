"""A batch on a cluster: the same results as on one machine, and machines that do not fit refused."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

import program
from clips import FFMPEG, make_clip
from cluster import Cluster, Program, prepare, results
from counters import make_counted
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions

pytestmark = [pytest.mark.slow]

NAMES = ("attic", "cellar", "museum")
# What a telephone films: of 30 frames a second every second one is late.
PHONE = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-c:v", "libx264", "-crf", "12", "-g", "15")
LATE = "setpts='PTS+if(mod(N,2),0.007,0)/TB',settb=1/90000"
FACTS = ("segment_started", "segment_finished", "segment_failed", "lanes_changed", "log")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources, and what one machine makes of them."""
    folder = tmp_path_factory.mktemp("cluster")
    prepare(folder, clips=2, seconds=2, size="176x120")
    done = program.run("batch", "in", "alone", "-p", "short", "--parallel", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@dataclass(frozen=True)
class Ready:
    """A cluster that works, at an address, for whoever shows `options`.

    Two batches find none, or are not let in, which takes them a while: they try it from the beginning.
    """

    cluster: Cluster
    address: str
    options: tuple[str, ...]
    turned_away: tuple[Program, Program]


@pytest.fixture(scope="module")
def ready(place: Path) -> Iterator[Ready]:
    """A scheduler behind certificates, three machines, and a Dask worker that is no program of ours.

    The attic has the sources under another path, and an FFmpeg that fails once when it is told to. The
    cellar sees no folder at all. The museum has an older FFmpeg.
    """
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by openssl")
    shown = certificates(place / "ours", "head", "attic")
    (place / "sources").symlink_to(place / "in")
    with Cluster(place) as cluster:
        _, address = cluster.scheduler("tls://127.0.0.1:0", *shown["head"])
        certificates(place / "theirs", "head")
        theirs = ("--tls", f"{place}/theirs/head")
        turned_away = (
            cluster.batch(address, *theirs, output="stranger"),
            cluster.batch("tcp://127.0.0.1:9", output="nobody"),
        )
        stranger = cluster.worker(address, "stranger", *theirs, "--log-file", "stranger.log")
        elsewhere = ("--map-path", f"{place}/in={place}/sources")
        nowhere = ("--map-path", f"{place}=/nowhere", "--temp-dir", str(place))
        attic, cellar, museum = (
            cluster.worker(address, name, *options, *shown["attic"], VHSBATCH_FFMPEG=str(ffmpeg))
            for name, options, ffmpeg in (
                ("attic", elsewhere, failing_ffmpeg(place)),
                ("cellar", nowhere, FFMPEG),
                ("museum", (), older_ffmpeg(place)),
            )
        )
        ca, cert, key = shown["attic"][1::2]
        certified = ("--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key)
        plain = cluster.dask_worker(address, *certified, "--nthreads", "1", VHSBATCH_FFMPEG=FFMPEG)
        plain.wait_for("Registered to")
        for name, worker in {"attic": attic, "cellar": cellar, "museum": museum}.items():
            worker.wait_for(f"{name} helps")
        stranger.wait_for("stranger cannot help yet, and tries again: its certificate")
        assert "its certificate" in (place / "stranger.log").read_text()
        yield Ready(cluster, address, shown["head"], turned_away)
        assert cellar.stop() == 0
        assert not list(place.glob("vhsbatch-worker-*"))
    program.wait_until_gone(place)


def certificates(folder: Path, *names: str) -> dict[str, tuple[str, ...]]:
    """The options by which each of `names` shows who it is."""
    script = Path(__file__).parents[2] / "scripts" / "make_certificates"
    subprocess.run([script, folder, *names], check=True, capture_output=True)
    return {
        name: (
            *("--tls-ca", f"{folder}/ca.pem", "--tls-cert", f"{folder}/{name}.pem"),
            *("--tls-key", f"{folder}/{name}-key.pem"),
        )
        for name in names
    }


def older_ffmpeg(folder: Path) -> Path:
    """An FFmpeg that says it is another one."""
    script = folder / "older-ffmpeg"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = -version ] && echo "ffmpeg version 7.7 Copyright" && exit\nexec {FFMPEG} "$@"\n'
    )
    script.chmod(0o755)
    return script


def failing_ffmpeg(folder: Path) -> Path:
    """An FFmpeg that fails at the next segment where there is a file `fail`, which it removes."""
    script = folder / "failing-ffmpeg"
    script.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *-progress*) rm "{folder}/fail" 2>&- && echo broken >&2 && exit 9;; esac\n'
        f'exec {FFMPEG} "$@"\n'
    )
    script.chmod(0o755)
    return script


def ended(batch: Program) -> dict[str, list[dict[str, object]]]:
    """The events of a batch that has succeeded, by kind."""
    assert batch.process.wait(200) == 0, batch.text
    batch.wait_for('"batch_finished"')
    events = program.events("\n".join(line for line in batch.text.splitlines() if line.startswith("{")))
    return {kind: [event for event in events if event["kind"] == kind] for kind in FACTS}


def test_the_result_is_that_of_one_machine(place: Path, ready: Ready) -> None:
    batch = ready.cluster.batch(ready.address, *ready.options, "--log-file", "log")
    seen = ended(batch)
    assert results(place / "out") == results(place / "alone")
    assert {event["machine"] for event in seen["segment_finished"]} == {
        "attic",
        "cellar",
        os.uname().nodename,
    }
    said = {
        name: [str(event["text"]) for event in seen["log"] if name in str(event["text"])] for name in NAMES
    }
    (refusal,) = said["museum"]
    assert "FFmpeg 7.7" in refusal
    assert refusal.endswith(f"FFmpeg {program.ffmpeg_version()}")
    (sent,) = said["cellar"]
    assert "does not see" in sent
    assert "--map-path" in sent
    assert said["attic"] == []
    assert re.search("of tape[12].avi have been sent to cellar", (place / "log").read_text())
    assert "sent to attic" not in (place / "log").read_text()


def test_a_failure_elsewhere_is_one_like_here(place: Path, ready: Ready) -> None:
    (place / "fail").touch()
    seen = ended(ready.cluster.batch(ready.address, *ready.options, output="failed"))
    (failed,) = seen["segment_failed"]
    assert failed["reason"] == "encode failed with exit code 9: broken"
    assert (failed["final"], failed["counts_as_attempt"]) == (False, True)
    assert results(place / "failed") == results(place / "alone")


def assert_same_as_alone(ready: Ready, place: Path, folder: Path, *how: str) -> None:
    """See that several machines make of a folder what one makes."""
    alone, together = (folder / name for name in ("alone", "together"))
    with Cluster(place) as single:
        batches = (
            single.start("batch", folder, alone, "-p", "short", "--json", *how),
            ready.cluster.batch(ready.address, *ready.options, *how, folder=folder, output=together),
        )
        _, seen = map(ended, batches)
    assert len({event["machine"] for event in seen["segment_finished"]}) > 1
    assert results(together) == results(alone) != {}


def test_qtgmc_elsewhere(place: Path, ready: Ready, tmp_path: Path) -> None:
    try:
        anyio.run(qtgmc_versions, None)
    except ToolError as error:
        pytest.skip(str(error))
    (tmp_path / "tape.avi").symlink_to(place / "in" / "tape1.avi")
    assert_same_as_alone(ready, place, tmp_path, "--deinterlace", "qtgmc", "--field-order", "tff")


def test_frames_that_keep_their_times_elsewhere(place: Path, ready: Ready, tmp_path: Path) -> None:
    make_counted(tmp_path / "phone.mp4", *PHONE, rate="30", seconds=3, fields=LATE)
    assert_same_as_alone(ready, place, tmp_path, "--vfr", "keep")


def test_a_recording_in_several_files_elsewhere(place: Path, ready: Ready, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mpg", "-c:v", "mpeg2video", "-g", "12", "-c:a", "mp2", size="176x120")
    data, captures = whole.read_bytes(), tmp_path / "captures"
    captures.mkdir()
    half = len(data) // 4096 * 2048
    for name, part in (("clock_1.mpg", data[:half]), ("clock_2.mpg", data[half:])):
        (captures / name).write_bytes(part)
        os.utime(captures / name, (whole.stat().st_mtime,) * 2)
    # Longer than segments, so that machines share it; the cellar is sent both files.
    assert_same_as_alone(ready, place, captures, "--join", "auto")
    assert [name for name in results(captures / "together") if "joined" in name] != []


def test_who_finds_no_cluster_and_who_is_not_let_in(ready: Ready) -> None:
    for batch in ready.turned_away:
        assert batch.process.wait(60) == 3, batch.text
        batch.wait_for("no scheduler answers at .*vhs-upscale scheduler")
        assert batch.text.count("\n") == 0


def test_the_doctor_says_who_would_help_and_who_would_not(place: Path, ready: Ready) -> None:
    asked = ready.cluster.start("doctor", "--cluster", ready.address, *ready.options)
    assert asked.process.wait(60) == 0, asked.text
    asked.wait_for(rf"^ok +attic: helps with 1 segment at a time, vhsbatch .*, FFmpeg .*, sees {place}$")
    asked.wait_for(rf"^ok +cellar: .*, does not see {place}: sources and results are sent$")
    asked.wait_for(r"^warn +museum: does not help: it has FFmpeg 7\.7, and the batch is made with FFmpeg ")
    assert len(asked.text.splitlines()) == 4
    assert not list(place.glob("shared-*"))


def test_the_doctor_is_not_let_in_without_the_right_certificate(place: Path, ready: Ready) -> None:
    asked = ready.cluster.start("doctor", "--cluster", ready.address, "--tls", f"{place}/theirs/head")
    assert asked.process.wait(60) == 3, asked.text
    asked.wait_for("^vhs-upscale: no scheduler answers at .*vhs-upscale scheduler")
    assert len(asked.text.splitlines()) == 1


def test_the_doctor_finds_a_cluster_without_machines(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        _, address = cluster.scheduler()
        asked = cluster.start("doctor", "--cluster", address, VHSBATCH_ENGINE="ffmpeg")
        assert asked.process.wait(60) == 3, asked.text
        asked.wait_for(rf"^fail +{address}: no machine is there -> .*: vhs-upscale worker {address}$")
        assert len(asked.text.splitlines()) == 1


def test_workers_on_this_machine_by_one_word(place: Path) -> None:
    with Cluster(place) as cluster:
        seen = ended(cluster.batch("local:2", "--max-count", "1", output="local"))
    assert results(place / "local").items() < results(place / "alone").items()
    # The first one that has started may have made everything before the other one has.
    assert {event["machine"] for event in seen["segment_finished"]} <= {"local-1", "local-2"}


def test_an_open_network_is_refused(place: Path) -> None:
    done = program.run("scheduler", "tcp://0.0.0.0", cwd=place)
    assert done.returncode == 2
    assert "has no TLS" in done.stderr
