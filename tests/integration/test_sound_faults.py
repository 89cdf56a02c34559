"""Sound that is damaged, of another programme, or of another form halfway: what can be heard is kept."""

from fractions import Fraction
from pathlib import Path

import pytest

from clips import FFMPEG, ffmpeg
from studio import BEEPS_S, Studio, beeps_s, make_sounds, picture_starts_s
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

PACKET = 188


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


async def restored(
    studio: Studio, source: Path, audio: dict[str, object] | None = None, container: str = "mp4"
) -> tuple[MediaInfo, MediaInfo, Path, str]:
    """What a source and its result are, the result, and all that was said of it."""
    info = await probe(source, ffmpeg=FFMPEG)
    made, published = await studio.restore(info, audio or {}, container)
    return info, await probe(made, ffmpeg=FFMPEG), made, "; ".join(published.notes)


def spoil(path: Path, pid: int, *, from_part: float = 0, to_part: float = 1) -> None:
    """Overwrite what the packets of one stream of a transport stream hold, in a part of the file."""
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), PACKET):
        if ((data[at + 1] & 0x1F) << 8 | data[at + 2]) != pid or not from_part <= at / len(data) < to_part:
            continue
        begin = at + 4 + (data[at + 4] + 1 if data[at + 3] & 0x20 else 0)
        if data[at + 1] & 0x40:
            begin += 9 + data[begin + 8]
        data[begin : at + PACKET] = b"\x55" * (at + PACKET - begin)
    path.write_bytes(data)


@pytest.mark.parametrize("codec", ["mp2", "ac3", "aac"])
async def test_a_track_of_which_nothing_decodes_is_left_out_and_told(
    codec: str, studio: Studio, tmp_path: Path
) -> None:
    source = make_sounds(tmp_path / "dead.ts", "-c mp2", f"-c {codec}")
    spoil(source, 0x102)
    info, made, path, said = await restored(studio, source)
    assert len(info.audio) == len(made.audio) == 1
    assert "audio left out: stream 2" in said
    assert beeps_s(path, 1, picture_starts_s(path)) == pytest.approx(BEEPS_S, abs=0.02)


@pytest.mark.parametrize(("codec", "container"), [("mp2", "mp4"), ("ac3", "mkv"), ("aac", "mp4")])
@pytest.mark.parametrize("audio", [{}, {"highpass_hz": 60, "loudness_lufs": -20.0}])
async def test_damage_is_told_with_its_place_and_what_is_behind_it_stays_in_sync(
    codec: str, container: str, audio: dict[str, object], studio: Studio, tmp_path: Path
) -> None:
    source = make_sounds(tmp_path / f"damaged-{codec}.ts", f"-c {codec} -b 96k")
    spoil(source, 0x101, from_part=0.4, to_part=0.6)
    info, made, path, said = await restored(studio, source, audio, container)
    assert "audio track 1 is damaged, packets that do not decode: " in said
    assert 0.5 < float((info.audio[0].undecoded_at_s or 0) - info.video.start_s) < 1.4
    assert made.audio[0].end_s - made.video.start_s == pytest.approx(2, abs=0.15)
    assert beeps_s(path, 1, picture_starts_s(path))[-1] == pytest.approx(BEEPS_S[-1], abs=0.02)


@pytest.mark.parametrize("picture", [0, 2])
async def test_only_the_programme_of_the_picture_is_taken(
    picture: int, studio: Studio, tmp_path: Path
) -> None:
    sizes = ("128x96", "64x48") if picture == 0 else ("64x48", "128x96")
    inputs = [word for size in sizes for word in ("-f", "lavfi", "-i", f"color=gray:s={size}:r=25:d=2")]
    sounds = [word for hz in (500, 900) for word in ("-f", "lavfi", "-i", f"sine={hz}:d=2")]
    maps = [word for place in ("0", "2", "1", "3", "3") for word in ("-map", place)]
    programmes = ("title=ONE:program_num=1:st=0:st=1", "title=TWO:program_num=7:st=2:st=3:st=4")
    ffmpeg(
        *(*inputs, *sounds, *maps, "-c:v", "mpeg2video", "-c:a", "mp2"),
        *(word for programme in programmes for word in ("-program", programme)),
        tmp_path / "two.ts",
    )
    info, made, _, said = await restored(studio, tmp_path / "two.ts")
    assert info.video.index == picture
    assert [track.index for track in info.audio] == ([1] if picture == 0 else [3, 4])
    assert len(made.audio) == len(info.audio)
    assert f"other programmes left out: {'7 (TWO)' if picture == 0 else '1 (ONE)'}" in said


@pytest.mark.parametrize("audio", [{}, {"highpass_hz": 60, "denoise_db": 12, "loudness_lufs": -20.0}])
@pytest.mark.parametrize(
    ("before", "after"), [("-ac 2 -ar 48000", "-ac 6 -ar 48000"), ("-ac 1 -ar 48000", "-ac 2 -ar 32000")]
)
async def test_a_track_that_changes_on_the_way_is_one_track_in_sync(
    before: str, after: str, audio: dict[str, object], studio: Studio, tmp_path: Path
) -> None:
    halves = []
    for number, form in enumerate((before, after)):
        half = make_sounds(
            tmp_path / f"{number}.ts", f"-c ac3 {form}", more=("-output_ts_offset", str(2 * number))
        )
        halves.append(half.read_bytes())
    source = tmp_path / "changes.ts"
    source.write_bytes(b"".join(halves))
    info, made, path, said = await restored(studio, source, audio)
    assert "audio track 1 changes its sample rate or its channels at 2.0 s" in said
    assert (made.audio[0].sample_rate_hz, made.audio[0].channels) == (48000, 6 if "6" in after else 2)
    late_s = float(made.audio[0].end_s - (info.audio[0].end_s - info.video.start_s))
    assert late_s == pytest.approx(0, abs=0.03)
    # Where the two were joined, sound and picture overlap by a frame.
    at_s = [at + part for part in (0, 1.96) for at in BEEPS_S]
    assert beeps_s(path, 1, picture_starts_s(path)) == pytest.approx(at_s, abs=0.02)


async def test_a_first_packet_that_decodes_to_nothing_begins_no_sound(studio: Studio, tmp_path: Path) -> None:
    whole = make_sounds(tmp_path / "whole.wmv", "-c wmav2")
    source = tmp_path / "first.wmv"
    ffmpeg(
        "-itsoffset", "-0.043", "-i", whole, "-i", whole, "-map", "0:v", "-map", "1:a", "-c", "copy", source
    )
    for container in ("mp4", "mkv"):
        info, _, path, said = await restored(studio, source, container=container)
        assert info.audio[0].start_s > Fraction(1, 50)
        assert "damaged" not in said
        expected = beeps_s(source, info.audio[0].index, float(info.video.start_s))
        assert beeps_s(path, 1, picture_starts_s(path)) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("from_s", "to_s"), [(0.7, 2), (0, 1.2)])
@pytest.mark.parametrize(("codec", "container"), [("pcm_s16le", "mp4"), ("ac3", "mp4"), ("pcm_s16le", "mkv")])
async def test_sound_that_begins_late_or_ends_early_stays_where_it_is(
    codec: str, container: str, from_s: float, to_s: float, studio: Studio, tmp_path: Path
) -> None:
    part = ("-af", f"atrim={from_s}:{to_s}")
    source = make_sounds(tmp_path / f"part-{codec}.mkv", f"-c {codec}", more=part)
    _, _, path, _ = await restored(studio, source, container=container)
    expected = [at for at in BEEPS_S if from_s < at < to_s]
    assert beeps_s(path, 1, picture_starts_s(path)) == pytest.approx(expected, abs=0.03)


async def test_an_empty_track_is_left_out_and_told(studio: Studio, tmp_path: Path) -> None:
    whole = make_sounds(tmp_path / "whole.mkv", "-c pcm_s16le", "-c ac3")
    source = tmp_path / "empty.mkv"
    ffmpeg("-i", whole, "-map", "0", "-c", "copy", "-bsf:a:1", "noise=drop=1", source)
    info, made, _, said = await restored(studio, source)
    assert len(info.audio) == len(made.audio) == 1
    assert "audio left out: stream 2 (ac3): it is empty" in said


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("source", ["early.ts", "early.mkv"])
async def test_a_track_that_ends_before_the_picture_begins_is_left_out_and_the_others_stay(
    source: str, container: str, studio: Studio, tmp_path: Path
) -> None:
    # The picture begins at 1 s; of three tracks one ends before it, one 0.2 s into it, and one with it.
    ends_s = (0.8, 1.2, 2)
    clip = tmp_path / source
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1"),
        *(word for end_s in ends_s for word in ("-f", "lavfi", "-i", f"sine=f=440:r=48000:d={end_s}")),
        *("-filter_complex", "[0]setpts=PTS+1/TB[v]", "-map", "[v]", "-map", "1", "-map", "2", "-map", "3"),
        *("-c:v", "libx264", "-c:a", "mp2", clip),
    )
    info, made, _, said = await restored(studio, clip, container=container)
    assert [track.index for track in info.audio] == [2, 3]
    assert "stream 1 (mp2): it ends before the picture begins" in said
    assert len(made.audio) == 2
    for track, end_s in zip(made.audio, ends_s[1:], strict=True):
        assert float(track.end_s - made.video.start_s) == pytest.approx(end_s - 1, abs=0.1)
