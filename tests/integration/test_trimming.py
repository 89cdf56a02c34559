"""Parts of videos: their frames and samples equal those of the whole, and all else is cut with them."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import anyio
import numpy as np
import pytest

import program
from clips import FFMPEG, ffmpeg
from counters import make_counted, numbers
from restoring import FFV1, need_qtgmc
from vhsbatch.probe.probe import frame_times, packet_times

pytestmark = pytest.mark.slow

NOISE = ("-f", "lavfi", "-i", "anoisesrc=r=48000:seed=5:d={seconds}")
FIELDS = "interlace=scan=tff:lowpass=0,setfield=tff"
OWN = """
[own]
segment_s = {segment_s}
target_height = 120
container = "mkv"
[own.video]
encoder = "ffv1"
[own.denoise]
method = "none"
"""


def with_noise(tape: Path, *codec: str, seconds: float) -> Path:
    """The same video with a sound of which no two pieces are alike."""
    made = tape.with_name(f"sounding{tape.suffix}")
    noise = [word.format(seconds=seconds) for word in NOISE]
    ffmpeg("-i", tape, *noise, "-map", "0", "-map", "1", "-c", "copy", *codec, made)
    return made.replace(tape)


def restored(folder: Path, source: str, name: str, *options: str, segment_s: int = 60) -> Path:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(OWN.format(segment_s=segment_s))
    how = ("-p", "own", "--engine", "ffmpeg", "--no-tui")
    done = program.run("upscale", source, "-o", folder / name, *how, *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / name


def pictures(path: Path) -> list[str]:
    """The digest of each frame."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "framemd5", "-"], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines() if not line.startswith("#")]


def samples(path: Path) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """The first track's samples, mixed to one channel."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:a:0", "-ac", "1", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16)


def subtitles(path: Path) -> list[str]:
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:s", "-f", "srt", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [" ".join(entry.splitlines()[1:]) for entry in done.stdout.strip().split("\n\n")]


def test_fields_and_sound_are_those_of_the_whole(tmp_path: Path) -> None:
    tape = make_counted(tmp_path / "tape.mkv", *FFV1, rate="60000/1001", seconds=4.2, fields=FIELDS)
    with_noise(tape, "-c:a", "pcm_s16le", seconds=4.2)
    whole = restored(tmp_path, "tape.mkv", "whole.mkv", segment_s=60)
    part = restored(tmp_path, "tape.mkv", "part.mkv", "--from", "3.2", "--to", "0:04", segment_s=1)
    # Frame 96 of the source is shown at 3.2032 s, frame 120 at 4.004 s.
    assert pictures(part) == pictures(whole)[192:240]
    assert numbers(part) == list(range(192, 240))
    assert np.array_equal(samples(part), samples(tape)[153_754:192_192])
    record = json.loads((tmp_path / "part.mkv.json").read_text())
    assert record["trim"] == {"from_s": "16/5", "to_s": "4"}
    assert record["frames"] == 48
    assert "only from 0:03.2 to 0:04 of 0:04.204: 48 frames" in record["notes"]


def test_sound_that_is_levelled_is_cut_at_the_same_sample(tmp_path: Path) -> None:
    tape = make_counted(tmp_path / "tape.mkv", *FFV1, rate="25", seconds=8, fields="null")
    # Its pitch tells the time.
    rising = ("-f", "lavfi", "-i", "aevalsrc='0.1*sin(2*PI*(200+150*t)*t)':s=48000:d=8")
    sounding = tmp_path / "sounding.mkv"
    ffmpeg("-i", tape, *rising, "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "pcm_s16le", sounding)
    (tmp_path / "sounding.mkv.toml").write_text("audio.loudness_lufs = -20\naudio.lossless = true\n")
    part = restored(tmp_path, "sounding.mkv", "part.mkv", "--from", "4", "--to", "7.5")
    made, wanted = samples(part), samples(sounding)[4 * 48_000 : round(7.52 * 48_000)]
    assert len(made) == len(wanted)
    middle = slice(4_800, -4_800)  # levels are smoothed at the ends
    assert np.corrcoef(made[middle], wanted[middle])[0, 1] > 0.999


def test_telecined_film(tmp_path: Path) -> None:
    film = "telecine=pattern=23,setfield=tff"
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="24000/1001", seconds=9, fields=film)
    told = ("--telecine", "hard", "--field-order", "tff")
    whole = restored(tmp_path, "tape.mkv", "whole.mkv", *told)
    part = restored(tmp_path, "tape.mkv", "part.mkv", *told, "--from", "4.1", "--to", "6")
    first, stop = 99, 144  # the first ones not before 4.1 and 6 s at 23.976 a second
    assert pictures(part) == pictures(whole)[first:stop]


def test_frames_with_their_own_times(tmp_path: Path) -> None:
    irregular = "select='not(eq(mod(n,7),3))',setpts='PTS+if(mod(N,2),0.007,0)/TB',settb=1/90000"
    codec = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-c:v", "libx264", "-g", "30")
    phone = make_counted(tmp_path / "phone.mp4", *codec, rate="30", seconds=6, fields=irregular)
    with_noise(phone, "-c:a", "alac", seconds=6)
    part = restored(tmp_path, "phone.mp4", "part.mkv", "--vfr", "keep", "--from", "4", "--to", "5")
    times_s = anyio.run(lambda: frame_times(phone, Fraction(0), ffmpeg=FFMPEG))
    # Of seven frames one is lost.
    kept = [number for number in range(180) if number % 7 != 3]
    wanted = [index for index, at_s in enumerate(times_s) if 4 <= at_s < 5]
    assert numbers(part) == [kept[index] for index in wanted]
    made_s = anyio.run(packet_times, part)
    begin_s = times_s[wanted[0]]
    assert [round(at_s + begin_s, 3) for at_s in made_s] == [round(times_s[index], 3) for index in wanted]
    assert np.array_equal(samples(part), samples(phone)[round(begin_s * 48_000) : 5 * 48_000])


def test_qtgmc(tmp_path: Path) -> None:
    need_qtgmc()
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="60000/1001", seconds=3.6, fields=FIELDS)
    made = {
        name: restored(tmp_path, "tape.mkv", f"{name}.mkv", "--deinterlace", "qtgmc", *trim)
        for name, trim in (("whole", ()), ("part", ("--from", "3.2", "--to", "3.4")))
    }
    assert numbers(made["part"]) == list(range(192, 204))
    assert pictures(made["part"]) == pictures(made["whole"])[192:204]


def test_subtitles_and_chapters_are_moved_and_cut(tmp_path: Path) -> None:
    entries = (
        (1, 3, "before"),
        (4.5, 6, "begins before"),
        (6, 7, "inside"),
        (7, 9, "ends after"),
        (9, 10, "after"),
    )
    (tmp_path / "said.srt").write_text(
        "".join(
            f"{number}\n00:00:{begin:06.3f} --> 00:00:{end:06.3f}\n{text}\n\n".replace(".", ",")
            for number, (begin, end, text) in enumerate(entries, start=1)
        )
    )
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={begin}\nEND={begin + 4}\ntitle=at {begin}\n" for begin in (0, 4, 8)
    )
    (tmp_path / "chapters.txt").write_text(f";FFMETADATA1\n{chapters}")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=96x120:r=25:d=12")
    ffmpeg(
        *picture, "-i", tmp_path / "said.srt", "-i", tmp_path / "chapters.txt", "-map_chapters", "2",
        *FFV1, "-c:s", "srt", tmp_path / "tape.mkv",
    )  # fmt: skip
    for name in ("part.mkv", "part.mp4"):
        encoder = ("--encoder", "libx264")
        part = restored(tmp_path, "tape.mkv", name, *encoder, "--from", "5", "--to", "7.4")
        assert subtitles(part) == [
            "00:00:00,000 --> 00:00:01,000 begins before",
            "00:00:01,000 --> 00:00:02,000 inside",
            "00:00:02,000 --> 00:00:02,400 ends after",
        ]
        told = subprocess.run(
            [FFMPEG, "-i", part, "-f", "ffmetadata", "-"], capture_output=True, text=True, check=True
        )
        assert "title=at 4" in told.stdout
        assert "title=at 0" not in told.stdout
        assert "title=at 8" not in told.stdout
        assert "start: 0.000000" in told.stderr


def test_a_part_that_is_changed_beside_the_video_is_restored_again(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mkv", "b.mkv"):
        make_counted(folder / name, *FFV1, rate="30", seconds=2, fields="null")

    def run(*options: str) -> list[dict[str, object]]:
        how = ("--engine", "ffmpeg", "-r", "120", "--json", "--no-report", *options)
        done = program.run("batch", "in", "out", *how, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def published(events: list[dict[str, object]]) -> dict[object, object]:
        return {event["job_id"]: event["frames"] for event in events if event["kind"] == "job_published"}

    (folder / "a.mkv.toml").write_text("from = 0.5\nto = '0:01'\n")
    (plan,) = [
        event["plan"]
        for event in run("--dry-run")
        if event["kind"] == "job_planned" and event["job_id"] == "a_120p.mp4"
    ]
    assert isinstance(plan, dict)
    assert plan["frames"] == 15
    assert published(run()) == {"a_120p.mp4": 15, "b_120p.mp4": 60}
    assert published(run("--skip-existing")) == {}
    (folder / "a.mkv.toml").write_text("from = 0.5\nto = 1.5\n")
    again = run("--skip-existing")
    assert published(again) == {"a_120p.mp4": 30}
    said = [event.get("text") for event in again]
    assert "restored before from 0:00.5 to 0:01: restored again from 0:00.5 to 0:01.5" in said


def test_a_part_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *FFV1, rate="30", seconds=2, fields="null")
    restored(tmp_path, "tape.mkv", "part.mkv", "--to", "1")
    before = (tmp_path / "part.mkv").read_bytes()
    how = ("-p", "own", "--engine", "ffmpeg", "--no-tui")
    for option, said in (
        (("--from", "1"), "part.mkv is the same video from the beginning to 0:01 (name another file"),
        (("--from", "1:00"), "--from 1:00: leaves no frame, as the video is 0:02 long"),
        (
            ("--from", "1", "--to", "0:00.5"),
            "--to 0:00.5: leaves no frame, as the excerpt begins at 0:01 and",
        ),
        (("--from", "soon"), "--from soon: is not a time (write it as 90, 1:30 or 1:02:03.5)"),
    ):
        done = program.run("upscale", "tape.mkv", "-o", "part.mkv", *how, *option, cwd=tmp_path)
        assert done.returncode != 0
        assert said in done.stdout + done.stderr
        assert (tmp_path / "part.mkv").read_bytes() == before
