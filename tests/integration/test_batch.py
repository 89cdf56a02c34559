"""Whole batches over real captures: what comes out, and what is said of it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

import program
from clips import FFMPEG, make_clip
from vhsbatch.events.serialize import event_schema
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.probe import probe
from vhsbatch.restore.verify import count_frames

pytestmark = pytest.mark.anyio

DV = ("-target", "ntsc-dv")
MPEG2 = ("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "4", "-c:a", "mp2")
WEB = ("-c:v", "libx264", "-c:a", "aac")
H264 = ("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-c:a", "aac")
FFV1 = ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")
SMALL = "96x64"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def results(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix not in (".json", ".html")
        and not path.relative_to(folder).parts[0].startswith(".")
    )


async def probed(path: Path) -> MediaInfo:
    return await probe(path, ffmpeg=FFMPEG)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("captures")
    make_clip(folder / "a holiday.dv", *DV, scan="bff", seconds=0.5)
    make_clip(folder / "B.MPG", *MPEG2, seconds=0.8)
    make_clip(folder / "c.mp4", *WEB, scan="progressive", seconds=0.4, size=SMALL)
    damaged = make_clip(folder / "d.mkv", *FFV1, seconds=2, size=SMALL)
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    (folder / "notes.txt").write_text("no video\n")
    (folder / "e.avi").write_text("no video either\n")
    before = digests(folder)
    yield folder
    assert digests(folder) == before, "a source was touched"


@pytest.mark.slow
async def test_a_batch_with_good_and_bad_captures(captures: Path, tmp_path: Path) -> None:
    done = program.run("batch", captures, "out", "-r", "360", "--parallel", "2", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert {line for line in lines if line.startswith("[")} == {
        "[1/5] SUCCESS: a holiday.dv",
        "[2/5] SUCCESS: B.MPG",
        "[3/5] SUCCESS: c.mp4",
        "[4/5] FAILED: d.mkv",
        "[5/5] FAILED: e.avi",
    }
    assert lines[lines.index("[4/5] FAILED: d.mkv") + 1].startswith("  Error: truncated: ")
    assert lines[lines.index("[5/5] FAILED: e.avi") + 1].startswith("  Error: ")
    assert lines[-4:] == ["Total videos: 5", "Successful:   3", "Failed:       2", "Output:       out"]
    out = tmp_path / "out"
    assert results(out) == ["B_360p.mp4", "a holiday_360p.mp4", "c_360p.mp4"]

    # Each field of the interlaced ones is a frame; 4:3 pictures are 4:3.
    for source, name, frames_of_each in (
        ("a holiday.dv", "a holiday_360p.mp4", 2),
        ("B.MPG", "B_360p.mp4", 2),
        ("c.mp4", "c_360p.mp4", 1),
    ):
        made, before = await probed(out / name), (await probed(captures / source)).video
        frames, rate = before.frames * frames_of_each, before.rate * frames_of_each
        assert (made.video.frames, made.video.rate) == (frames, rate)
        assert await count_frames(out / name, ffmpeg=FFMPEG, threads=1) == frames
        assert (made.video.height, made.video.sar or 1) == (360, 1)
        assert len(made.audio) == 1
    assert (await probed(out / "a holiday_360p.mp4")).video.width == 480

    # Nothing but the journal and the report's stills stays behind.
    left = [path for path in (out / ".vhsbatch").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {"journal", "snapshots"}

    # Each result has its record, and can be proven again.
    record = json.loads((out / "B_360p.mp4.json").read_text())
    assert record["source"]["sha256"] == digests(captures)["B.MPG"]
    assert record["output"]["sha256"] == digests(out)["B_360p.mp4"]
    assert record["frames"] == (await probed(out / "B_360p.mp4")).video.frames
    assert "bwdif" in record["segments"][0]["commands"][0]
    verified = program.run("verify", "out", cwd=tmp_path)
    assert verified.returncode == 0
    assert verified.stdout.splitlines()[-1] == "3 of 3 results are what their records say"
    with (out / "B_360p.mp4").open("r+b") as file:
        file.seek(2000)
        file.write(b"rot")
    (out / "c_360p.mp4").unlink()
    damaged = program.run("verify", "out", cwd=tmp_path)
    assert damaged.returncode == 1
    assert "DAMAGED B_360p.mp4: its content has changed" in damaged.stdout
    assert "DAMAGED c_360p.mp4: it is gone" in damaged.stdout

    history = program.run("log", "out", cwd=tmp_path)
    assert "job published: B_360p.mp4" in history.stdout
    assert "job failed: d_360p.mp4 (truncated: " in history.stdout


async def test_events_are_what_the_interface_sees(captures: Path, tmp_path: Path) -> None:
    done = program.run(
        "batch", captures, "out", "-r", "120", "--parallel", "2", "--json", "--max-count", "3", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    events = program.events(done.stdout)
    schema = jsonschema.Draft202012Validator(event_schema())
    for event in events:
        schema.validate(event)
    kinds = [event["kind"] for event in events]
    facts = [kind for kind in kinds if kind not in ("log", "progress", "device_readings")]
    assert facts[0] == "batch_started"
    assert facts[-1] == "batch_finished"
    for kind in ("job_planned", "segment_started", "segment_finished", "assembly_started", "job_published"):
        assert facts.count(kind) == 3, kind
    assert events[-1]["exit_code"] == 0
    readings = next(event for event in events if event["kind"] == "device_readings")
    assert readings["devices"][0]["id"] == "cpu"
    assert readings["disks"][0]["free_bytes"] > 0


async def test_sub_folders_are_mirrored_and_names_kept_apart(tmp_path: Path) -> None:
    for name in ("in/1987/tape.mp4", "in/1987/tape.mkv", "in/1988/TAPE.mp4", "in/.hidden.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        make_clip(tmp_path / name, *H264, scan="progressive", seconds=0.4, size=SMALL)
    done = program.run(
        "batch",
        "in",
        "in/out",
        "--recursive",
        "-r",
        "120",
        "--parallel",
        "2",
        "--suffix",
        "_new",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert results(tmp_path / "in" / "out") == [
        "1987/tape.mkv_new.mp4",
        "1987/tape.mp4_new.mp4",
        "1988/TAPE_new.mp4",
    ]
    # The results lie among the sources, and are no sources themselves.
    again = program.run(
        "batch",
        "in",
        "in/out",
        "--recursive",
        "-r",
        "120",
        "--skip-existing",
        "--suffix",
        "_new",
        cwd=tmp_path,
    )
    assert "Total videos: 3" in again.stdout
    assert "Skipped:      3" in again.stdout


async def test_segments_are_kept_or_removed(tmp_path: Path) -> None:
    make_clip(tmp_path / "tape.mp4", *H264, scan="progressive", seconds=0.4, size=SMALL)
    kept = program.run(
        "upscale",
        "tape.mp4",
        "-o",
        "out/a.mp4",
        "-r",
        "120",
        "--keep-temp",
        "--temp-dir",
        "scratch",
        cwd=tmp_path,
    )
    assert kept.returncode == 0, kept.stderr
    assert len(list((tmp_path / "scratch").rglob("segment-*.mp4"))) == 1
    gone = program.run(
        "upscale", "tape.mp4", "-o", "out/b.mp4", "-r", "120", "--temp-dir", "scratch2", cwd=tmp_path
    )
    assert gone.returncode == 0, gone.stderr
    assert list((tmp_path / "scratch2").rglob("*.mp4")) == []


async def test_a_truncated_source_is_restored_as_far_as_it_goes_if_that_is_asked_for(
    captures: Path, tmp_path: Path
) -> None:
    done = program.run(
        *("batch", captures, "out", "-r", "120", "--pattern", "d.*", "--allow-truncated", "--no-record"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert 25 < (await probed(tmp_path / "out" / "d_120p.mp4")).video.frames < 120
    assert not (tmp_path / "out" / "d_120p.mp4.json").exists()


async def test_a_picture_that_is_too_large_is_refused(captures: Path, tmp_path: Path) -> None:
    done = program.run("batch", captures, "out", "--pattern", "c.*", "--max-pixels", "5000", cwd=tmp_path)
    assert done.returncode == 1
    assert "  Error: a picture of 96x64 is too large" in done.stdout


async def test_a_source_that_is_still_being_copied_is_waited_for(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    whole = (captures / "c.mp4").read_bytes()
    growing = tmp_path / "in" / "c.mp4"
    growing.write_bytes(whole[: len(whole) // 2])
    process = program.start("batch", "in", "out", "-r", "120", "--json", cwd=tmp_path)
    program.wait_for_event(process, "batch_started")
    with growing.open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0, stdout + stderr


async def test_verbose_shows_commands_and_what_failed(captures: Path, tmp_path: Path) -> None:
    done = program.run("batch", captures, "out", "-r", "120", "--pattern", "[ce]*", "--verbose", cwd=tmp_path)
    assert done.returncode == 1
    assert "-filter_complex" in done.stderr
    assert "  Failed\n  Error: " in done.stdout


async def test_a_lut_is_applied_whatever_its_name_holds(captures: Path, tmp_path: Path) -> None:
    name = "it's: [a],b;c=1 \\ %{pts}.cube"
    corners = [(red, green, blue) for blue in (0, 1) for green in (0, 1) for red in (0, 1)]
    rows = [f"{1 - red} {1 - green} {1 - blue}" for red, green, blue in corners]
    (tmp_path / name).write_text("\n".join(["LUT_3D_SIZE 2", *rows]) + "\n")
    (tmp_path / "presets.toml").write_text(
        f'[negative]\ninherits = "clean"\ncolour.lut = {json.dumps(name)}\n[positive]\ninherits = "clean"\n'
    )
    (tmp_path / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    means = []
    for preset in ("negative", "positive"):
        out = tmp_path / f"{preset}.mp4"
        done = program.run("upscale", captures / "c.mp4", "-o", out, "-r", "120", "-p", preset, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        means.append(program.mean_level(out))
    # Light is dark and dark is light; limited range counts from 16 to 235.
    assert sum(means) == pytest.approx(16 + 235, abs=6)
    assert abs(means[0] - means[1]) > 10


async def test_what_a_user_knows_better_is_taken(captures: Path, tmp_path: Path) -> None:
    done = program.run(
        *("batch", captures, "out", "-r", "240", "--pattern", "B.*", "--aspect", "16:9"),
        *("--field-order", "progressive", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    made, before = await probed(tmp_path / "out" / "B_240p.mp4"), await probed(captures / "B.MPG")
    assert (made.video.width, made.video.height) == (426, 240)
    assert made.video.frames == before.video.frames


async def test_a_video_is_analysed(captures: Path, tmp_path: Path) -> None:
    said = program.run("analyze", captures / "a holiday.dv", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "interlaced, bottom field first (measured: " in said.stdout
    as_json = program.run("analyze", captures / "a holiday.dv", "--json", cwd=tmp_path)
    found = json.loads(as_json.stdout)
    assert found["info"]["video"]["field_order"] == "bff"
    assert f"  preset        {found['preset']} (" in said.stdout
    command = said.stdout.splitlines()[-1]
    assert command.startswith("  restore it    vhs-upscale upscale '")
    assert command.endswith(("-p " + found["preset"], "--auto-detect"))
    assert program.run("analyze", captures / "notes.txt", cwd=tmp_path).returncode == 1


async def test_quiet_and_a_log_file(captures: Path, tmp_path: Path) -> None:
    done = program.run(
        *("batch", captures, "out", "-r", "120", "--pattern", "[ce].*", "--parallel", "2", "--quiet"),
        *("--log-file", "batch.log"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "[2/2] FAILED: e.avi"
    assert "SUCCESS" not in done.stdout
    assert "Successful:   1" in done.stdout
    log = (tmp_path / "batch.log").read_text()
    assert "INFO    job published: c_120p.mp4" in log
    assert "WARNING job failed: e_120p.mp4 (" in log
    assert "-filter_complex" in log
    refused = program.run("batch", captures, "out", "--log-file", "no/such/folder.log", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "vhs-upscale: --log-file no/such/folder.log: No such file or directory "
        "(name a file in a folder that you may write to)\n"
    )


async def test_presets_side_by_side(tmp_path: Path) -> None:
    make_clip(tmp_path / "tape.mp4", *H264, seconds=1.5, size=SMALL)
    done = program.run(
        *("test-presets", "tape.mp4", "-o", "cmp", "--presets", "vhs,clean", "--clip-count", "2"),
        *("--duration", "0.2", "-r", "120"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for number in (1, 2):
        clips = [tmp_path / "cmp" / f"clip{number}_{name}.mp4" for name in ("source", "vhs", "clean")]
        made = [await probed(clip) for clip in clips]
        assert [info.video.frames for info in made] == [12, 12, 12]
        assert len({program.frame_digests(clip) for clip in clips}) == 3
        grid = await probed(tmp_path / "cmp" / f"clip{number}_comparison.mp4")
        assert (grid.video.width, grid.video.frames) == (3 * 640, 12)
        with Image.open(tmp_path / "cmp" / f"clip{number}_contact_sheet.png") as sheet:
            assert sheet.size == (3 * 640, 36 + 3 * 480)
    assert "contact sheet: " in done.stdout


def test_what_matters_most_is_begun_first_after_an_interruption_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "wedding"):
        make_clip(tmp_path / "in" / f"{name}.avi", *FFV1, seconds=0.2, size=SMALL)
    options = ("--priority", "wed*=1", "-r", "120", "--parallel", "1", "--json")
    done = program.run("batch", "in", "out", *options, "--max-count", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = program.run("batch", "in", "out", "--resume", "--json", cwd=tmp_path)
    for ran in (done, again):
        (started,) = [event for event in program.events(ran.stdout) if event["kind"] == "batch_started"]
        assert [Path(job["source"]).name for job in started["jobs"]] == ["wedding.avi", "a.avi"]
    published = [event["job_id"] for event in program.events(done.stdout) if event["kind"] == "job_published"]
    assert published == ["wedding_120p.mp4", "a_120p.mp4"]
    other = program.run("batch", "in", "out", "--resume", "--priority", "b*=2", cwd=tmp_path)
    assert other.returncode == 2
    assert "--priority 'b*=2': this batch was started with 'wed*=1'" in other.stderr


@pytest.mark.parametrize("again", [("--engine", "ffmpeg"), ()])
def test_a_batch_without_the_network_is_continued(again: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "a.avi", *FFV1, seconds=0.2, size=SMALL)
    first = program.run("batch", "in", "out", "--engine", "ffmpeg", "-r", "120", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    done = program.run("batch", "in", "out", "--resume", *again, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "already restored, as the journal proves" in done.stdout
