"""Two machines on one shared folder: each has a name and a start of its own, so that no lock counts."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import program
from clips import make_clip
from vhsbatch.process.heartbeat import LOST_S

pytestmark = pytest.mark.slow

PRESET = '[short]\ninherits = "vhs"\nsegment_s = 1\n'
OPTIONS = ("-p", "short", "-r", "480", "--parallel", "1", "--json")
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Machine:
    """Namespaces in which the host's name and the kernel's boot id are other ones."""

    def __init__(self, name: str, place: Path) -> None:
        self._place = place
        boot_id = place / f"{name}.boot-id"
        boot_id.write_text(f"{name}\n")
        become = f"mount --bind {shlex.quote(str(boot_id))} {BOOT_ID} && hostname {name}"
        self._enter = ["unshare", "--mount", "--uts", "sh", "-c", f'{become} && exec "$@"', "sh"]
        if subprocess.run([*self._enter, "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("a machine of our own needs root and namespaces")

    def start(self, *options: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        command = [*self._enter, *program.COMMAND, "batch", "in", "out", *OPTIONS, *options]
        return program.start_command(command, self._place, variables)


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Machine, Machine]:
    (tmp_path / "in").mkdir()
    (tmp_path / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    (tmp_path / "presets.toml").write_text(PRESET)
    for number in range(1, 5):
        clip = tmp_path / "in" / f"tape{number}.avi"
        make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=2, size="352x240")
    return Machine("one", tmp_path), Machine("two", tmp_path)


def all_events(process: subprocess.Popen[str], kind: str) -> list[dict[str, object]]:
    stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0, stderr + stdout[-3000:]
    return [event for event in program.events(stdout) if event["kind"] == kind]


def test_the_halves_of_a_batch_are_shared_out(machines: tuple[Machine, Machine]) -> None:
    one, two = machines
    first, second = one.start("--max-count", "2"), two.start("--skip-existing", "--max-count", "4")
    published = [
        event["job_id"] for process in (first, second) for event in all_events(process, "job_published")
    ]
    assert sorted(map(str, published)) == [f"tape{number}_480p.mp4" for number in range(1, 5)]


def test_what_a_machine_that_is_gone_had_is_taken_over(
    machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    one, two = machines
    # Both know the same FFmpeg, which makes only the dying machine wait: the heir has time to ask.
    with (tmp_path / "vhsbatch.toml").open("a") as settings:
        settings.write(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    held_up = program.held_after_one_segment(tmp_path / "gate")
    dying = one.start("--max-count", "1", variables=held_up)
    program.wait_for_event(dying, "segment_finished")
    heir = two.start("--max-count", "1", variables={**held_up, "FAKE_FFMPEG_FAULT": ""})
    held = program.wait_for_event(heir, "job_held")
    assert str(held["by"]).startswith("one (process ")
    dying.kill()
    dying.communicate(timeout=program.PATIENCE_S)
    # As if it had not been heard of for so long.
    (run,) = [path for path in (tmp_path / "out" / ".vhsbatch" / "runs").iterdir() if "-one-" in path.name]
    long_ago_s = run.stat().st_mtime - LOST_S - 1
    os.utime(run, (long_ago_s, long_ago_s))
    made = all_events(heir, "segment_finished")
    assert len({event["segment"] for event in made}) == len(made)
    verified = program.run("verify", "out", "--config", os.devnull, cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
