"""What comes along with picture and sound: titles, chapters, subtitles, languages, the timecode."""

import json
from pathlib import Path

import av
import pytest

import program
from clips import ffmpeg, make_clip
from vhsbatch.probe.camera import recorded

FFV1 = ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")
SMALL = ("-r", "120", "-p", "clean", "--engine", "ffmpeg", "--no-tui")

CHAPTERS = """;FFMETADATA1
title=Summer
date=1994
[CHAPTER]
TIMEBASE=1/1000
START=0
END=400
title=Beach
[CHAPTER]
TIMEBASE=1/1000
START=400
END=1000
title=Home
"""
WORDS = "1\n00:00:00,200 --> 00:00:00,700\nThe sea\n"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    clip = make_clip(folder / "clip.mkv", *FFV1, scan="progressive", seconds=1, size="96x64")
    (folder / "chapters.txt").write_text(CHAPTERS)
    (folder / "words.srt").write_text(WORDS)
    ffmpeg(
        *("-i", clip, "-i", folder / "words.srt", "-i", folder / "chapters.txt"),
        *("-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy"),
        *("-metadata:s:a:0", "language=deu", "-metadata:s:s:0", "language=fra"),
        *("-metadata", "timecode=01:02:03:04", "-metadata", "tape_id=7"),
        *("-metadata", "keywords=sea", folder / "tape.mkv"),
    )
    return folder / "tape.mkv"


@pytest.mark.parametrize(("container", "codec"), [("mp4", "mov_text"), ("mkv", "subrip")])
def test_titles_chapters_subtitles_and_languages_come_along(
    container: str, codec: str, tape: Path, tmp_path: Path
) -> None:
    made = tmp_path / f"made.{container}"
    done = program.run("upscale", tape, "-o", made, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with av.open(str(made)) as result:
        tags = {key.lower(): value for key, value in result.metadata.items()}
        (words,), (sound,) = result.streams.subtitles, result.streams.audio
        assert (tags["title"], tags["date"]) == ("Summer", "1994")
        assert [chapter["metadata"]["title"] for chapter in result.chapters()] == ["Beach", "Home"]
        assert (sound.language, words.language) == ("deu", "fra")
        assert words.codec_context.codec.canonical_name == codec
        told = {"mp4": ["tags left out, which mp4 cannot hold: tape_id; mkv holds them"], "mkv": []}
        notes = json.loads(made.with_name(f"{made.name}.json").read_text())["notes"]
        assert [note for note in notes if "left out" in note] == told[container]
        assert (tags["keywords"], tags.get("tape_id")) == ("sea", None if told[container] else "7")
        timecodes = [tags.get("timecode"), result.streams.video[0].metadata.get("timecode")]
        assert "01:02:03:04" in timecodes
        shown = [packet for packet in result.demux(words) if packet.size > 2]
        assert [float((packet.pts or 0) * packet.time_base) for packet in shown] == pytest.approx(
            [0.2], abs=0.001
        )


@pytest.mark.parametrize(("container", "key"), [("mp4", "date"), ("mkv", "DATE_RECORDED")])
def test_the_date_that_the_camera_recorded_comes_along(container: str, key: str, tmp_path: Path) -> None:
    dv = ("-pix_fmt", "yuv411p", "-metadata", "creation_time=1998-12-24T19:55:58Z", "-f", "dv")
    tape = make_clip(tmp_path / "tape.dv", *dv, scan="bff", seconds=0.5)
    made = tmp_path / f"made.{container}"
    done = program.run("upscale", tape, "-o", made, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with av.open(str(made)) as result:
        assert result.metadata[key] == "1998-12-24 19:55:58"


def test_a_clock_that_nobody_has_set_tells_no_date(tmp_path: Path) -> None:
    dv = ("-pix_fmt", "yuv411p", "-f", "dv")
    assert recorded(str(make_clip(tmp_path / "unset.dv", *dv, scan="bff", seconds=0.2))) is None
    stated = ("-metadata", "creation_time=1998-12-24T19:55:58Z")
    set_clock = make_clip(tmp_path / "set.dv", *stated, *dv, scan="bff", seconds=0.2)
    assert recorded(str(set_clock)) == "1998-12-24 19:55:58"
