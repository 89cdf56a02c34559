"""A batch on a cluster: the same results as on one machine, and machines that do not fit refused."""

import shutil
import subprocess
from pathlib import Path

import pytest

import program
from clips import FFMPEG
from cluster import Cluster, Program, prepare, results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FACTS = ("segment_started", "segment_finished", "segment_failed", "lanes_changed", "log")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources, and what one machine makes of them."""
    folder = tmp_path_factory.mktemp("cluster")
    prepare(folder, clips=2, seconds=2)
    done = program.run("batch", "in", "alone", "-p", "short", "--parallel", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def ended(batch: Program) -> dict[str, list[dict[str, object]]]:
    """The events of a batch that has succeeded, by kind."""
    assert batch.process.wait(200) == 0, batch.text
    batch.wait_for('"batch_finished"')
    events = program.events("\n".join(line for line in batch.text.splitlines() if line.startswith("{")))
    return {kind: [event for event in events if event["kind"] == kind] for kind in FACTS}


def older_ffmpeg(folder: Path) -> Path:
    """An FFmpeg that says it is another one."""
    script = folder / "older-ffmpeg"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = -version ] && echo "ffmpeg version 7.7 Copyright" && exit\nexec {FFMPEG} "$@"\n'
    )
    script.chmod(0o755)
    return script


def test_the_result_is_that_of_one_machine(place: Path, tmp_path: Path) -> None:
    with Cluster(place) as cluster:
        _, address = cluster.scheduler()
        (tmp_path / "sources").symlink_to(place / "in")
        workers = {
            "attic": cluster.worker(address, "attic", "--map-path", f"{place}/in={tmp_path}/sources"),
            "cellar": cluster.worker(address, "cellar"),
            "museum": cluster.worker(address, "museum", VHSBATCH_FFMPEG=str(older_ffmpeg(tmp_path))),
        }
        for name, worker in workers.items():
            worker.wait_for(f"{name} helps")
        seen = ended(cluster.batch(address))
    assert results(place / "out") == results(place / "alone")
    assert {event["machine"] for event in seen["segment_finished"]} == {"attic", "cellar"}
    (refusal,) = [str(event["text"]) for event in seen["log"] if "museum" in str(event["text"])]
    assert "FFmpeg 7.7" in refusal
    assert refusal.endswith(f"FFmpeg {program.ffmpeg_version()}")


def test_workers_on_this_machine_by_one_word(place: Path) -> None:
    with Cluster(place) as cluster:
        seen = ended(cluster.batch("local:2", output="local"))
        program.wait_until_gone(place)
    assert results(place / "local") == results(place / "alone")
    assert {event["machine"] for event in seen["segment_finished"]} == {"local-1", "local-2"}


def failing_ffmpeg(folder: Path) -> Path:
    """An FFmpeg that fails the first time that it is to make a segment."""
    script = folder / "failing-ffmpeg"
    script.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *-progress*) mkdir "{folder}/failed" 2>&- && echo broken >&2 && exit 9;; esac\n'
        f'exec {FFMPEG} "$@"\n'
    )
    script.chmod(0o755)
    return script


def test_a_failure_elsewhere_is_one_like_here(place: Path, tmp_path: Path) -> None:
    with Cluster(place) as cluster:
        _, address = cluster.scheduler()
        cluster.worker(address, "attic", VHSBATCH_FFMPEG=str(failing_ffmpeg(tmp_path)))
        seen = ended(cluster.batch(address, output="failed"))
    (failed,) = seen["segment_failed"]
    assert failed["reason"] == "encode failed with exit code 9: broken"
    assert (failed["final"], failed["blameless"]) == (False, False)
    assert results(place / "failed") == results(place / "alone")


def test_a_machine_that_sees_no_folder_is_sent_everything(place: Path) -> None:
    with Cluster(place) as cluster:
        _, address = cluster.scheduler()
        nowhere = ("--map-path", f"{place}=/nowhere", "--temp-dir", str(place))
        attic = cluster.worker(address, "attic", *nowhere)
        attic.wait_for("attic helps")
        seen = ended(cluster.batch(address, "--log-file", "sent.log", output="sent"))
        assert attic.stop() == 0
    assert results(place / "sent") == results(place / "alone")
    (said,) = [str(event["text"]) for event in seen["log"] if "attic" in str(event["text"])]
    assert "does not see" in said
    assert "--map-path" in said
    assert "of tape2.avi have been sent to attic" in (place / "sent.log").read_text()
    assert not list(place.glob("vhsbatch-worker-*"))


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


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
def test_certificates_let_machines_in_and_keep_others_out(place: Path, tmp_path: Path) -> None:
    ours = certificates(tmp_path / "ours", "head", "attic")
    (theirs,) = certificates(tmp_path / "theirs", "head").values()
    with Cluster(place) as cluster:
        _, address = cluster.scheduler("tls://127.0.0.1:0", *ours["head"])
        cluster.worker(address, "attic", *ours["attic"])
        stranger = cluster.batch(address, *theirs, output="stranger")
        assert stranger.process.wait(60) == 3, stranger.text
        assert "no scheduler answers" in stranger.text
        seen = ended(cluster.batch(address, *ours["head"], output="encrypted"))
    assert results(place / "encrypted") == results(place / "alone")
    assert {event["machine"] for event in seen["segment_finished"]} == {"attic"}


def test_nobody_answers(place: Path) -> None:
    done = program.run("batch", "in", "out", "--cluster", "tcp://127.0.0.1:9", cwd=place)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1, done.stderr
    assert "no scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "vhs-upscale scheduler" in done.stderr


def test_an_open_network_is_refused(place: Path) -> None:
    done = program.run("scheduler", "tcp://0.0.0.0", cwd=place)
    assert done.returncode == 2
    assert "has no TLS" in done.stderr
