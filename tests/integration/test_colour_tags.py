"""Whatever a file states of its colours: the colours that players show, or one line why not."""

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import make
import program
from clips import FFMPEG, ffmpeg
from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.filters import decode_graph, segment_graph
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.ffmpeg.primaries import gamut_matrix
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder
from vhsbatch.model.plan import JobPlan
from vhsbatch.probe.probe import probe
from vhsbatch.probe.showinfo import look
from vhsbatch.restore.planner import Toolchain, make_plan

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

Floats = NDArray[np.float64]

PATCH, COLUMNS, ROWS = 16, 4, 3
WIDTH, HEIGHT = PATCH * COLUMNS, PATCH * ROWS
# Y, Cb, Cr of 8 bits, none of which leaves BT.709 in any primaries of television.
LEVELS = np.array(
    [
        *([200, 128, 128], [120, 128, 128], [50, 128, 128], [150, 116, 134]),
        *([140, 138, 120], [120, 120, 120], [130, 134, 138], [110, 122, 146]),
        *([90, 144, 122], [170, 118, 140], [80, 122, 124], [150, 138, 118]),
    ],
    np.uint8,
)
MATRICES = (
    "bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc", "ycgco", "bt2020c", "chroma-derived-nc",
    "unknown", "gbr",
)  # fmt: skip
PRIMARIES = (
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte428", "smpte431",
    "smpte432", "ebu3213", "unknown",
)  # fmt: skip
TRANSFERS = (
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "iec61966-2-4", "bt1361e", "iec61966-2-1",
    "bt2020-10", "bt2020-12", "smpte428", "unknown",
)  # fmt: skip
# Primaries of which white is not that of television.
OTHER_WHITE = ("bt470m", "film", "smpte431")


def clip(path: Path, pixel_format: str = "yuv444p", **tags: str) -> Path:
    """Three frames of the patches; their levels are as they are, whatever the tags say."""
    planes = LEVELS.reshape(ROWS, COLUMNS, 3).repeat(PATCH, axis=0).repeat(PATCH, axis=1).transpose(2, 0, 1)
    raw = path.with_suffix(".raw")
    raw.write_bytes(planes.tobytes() * 3)
    stated = "".join(f":{key}={value}" for key, value in tags.items())
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{WIDTH}x{HEIGHT}", "-r", "30000/1001", "-i", raw),
        *("-vf", f"format={pixel_format},setparams=field_mode=prog{stated}", "-c:v", "ffv1", path),
    )
    return path


async def planned(path: Path, height: int) -> JobPlan:
    """The plan of a progressive clip, as far as its colours are concerned."""
    seen = await look(path, ffmpeg=FFMPEG, stream=0, frames=1)
    first = seen.frames[0]
    track = make.track(
        codec="ffv1", width=first.width, height=first.height, pixel_format=first.pixel_format,
        sar=Fraction(1), frames=3, field_order=FieldOrder.PROGRESSIVE, colour=seen.colour,
    )  # fmt: skip
    preset = Preset.model_validate(
        {"name": "plain", "target_height": height, "denoise": {"method": "none"}, "sharpen": {"amount": 0}}
    )
    means = Toolchain(engine="ffmpeg", upscaling=None, encoder="libx264", container="mp4", identity={})
    return make_plan(make.job(), make.info(track, path=path), preset, resolve(track, preset), means)


def rgb_of(*source: str | Path, graph: str, height: int) -> Floats:
    """The patches of the last frame that `graph` makes of a source, as RGB of 16 bits, 0 to 1."""
    command = (
        FFMPEG,
        "-v",
        "error",
        "-copyts",
        *source,
        "-filter_complex",
        f"{graph};[out]format=gbrp16le[rgb]",
    )
    done = subprocess.run(
        [*map(str, command), "-map", "[rgb]", "-f", "rawvideo", "-"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    width = height * WIDTH // HEIGHT
    picture = np.frombuffer(done.stdout, "<u2").reshape(-1, 3, height, width)[-1] / 65535
    side = height // ROWS
    inner = picture.reshape(3, ROWS, side, COLUMNS, side)[
        :, :, side // 3 : -side // 3, :, side // 3 : -side // 3
    ]
    means: Floats = inner.mean(axis=(2, 4)).reshape(3, -1)[[2, 0, 1]].T
    return means


def shown(*source: str | Path, graph: str, height: int, matrix: str, primaries: str) -> Floats:
    """What a player makes of levels: the matrix, the primaries, and whatever its screen's curve is.

    Light is brought to the primaries of BT.709 here: FFmpeg's filters do not agree on white.
    """
    levels = f"min={matrix}:pin={primaries}:tin=bt709:rin=limited:m=gbr:p={primaries}:t=bt709:r=full"
    rgb = rgb_of(*source, graph=f"{graph},zscale={levels}:threads=1[out]", height=height)
    light = np.clip(rgb, 0, 1) ** 2.4 @ gamut_matrix(primaries).T
    return np.asarray(np.clip(light, 0, 1) ** (1 / 2.4))


def to_lab(rgb: Floats) -> Floats:
    """CIE L*a*b* of BT.709 on a screen of D65."""
    linear = np.clip(rgb, 0, 1) ** 2.4
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    relative = xyz / np.array([0.9505, 1.0, 1.089])
    bent = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + 16 / 116)
    x, y, z = bent.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(one: Floats, other: Floats) -> float:
    """The largest difference of two sets of patches, as an eye sees it."""
    return float(np.sqrt(((to_lab(one) - to_lab(other)) ** 2).sum(axis=1)).max())


@pytest.mark.parametrize(
    ("key", "value", "height"),
    [
        *(("colorspace", name, height) for name in MATRICES for height in (480, 720)),
        *(("color_primaries", name, height) for name in PRIMARIES for height in (480, 720)),
        *(("color_trc", name, 720) for name in TRANSFERS),
    ],
)
async def test_colours_are_those_that_players_show(key: str, value: str, height: int, tmp_path: Path) -> None:
    tags = {"colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m", key: value}
    if value == "bt2020c":
        tags |= {"color_primaries": "bt2020", "color_trc": "bt2020-10"}
    plan = await planned(clip(tmp_path / "tape.mkv", **tags), height)
    source = ("-i", tmp_path / "tape.mkv")
    # FFmpeg's own filter is asked with the standard in place of what is unknown to players, too.
    meant = {
        key: "smpte170m" if name in ("unknown", "gbr", "smpte428") else name for key, name in tags.items()
    }
    lossless = f"scale={height * WIDTH // HEIGHT}:{height}:flags=neighbor"
    clean = "setparams=colorspace=smpte170m:color_primaries=smpte170m:color_trc=smpte170m"
    expected = shown(
        *source,
        graph=f"[0:0]{clean},{lossless}",
        height=height,
        matrix=meant["colorspace"],
        primaries=meant["color_primaries"],
    )
    colour = plan.recipe.target
    made_graph = segment_graph(plan, plan.segments[0], "yuv444p").removesuffix("[out]")
    made = shown(
        *source, graph=made_graph, height=height, matrix=str(colour.matrix), primaries=str(colour.primaries)
    )
    if value in OTHER_WHITE:
        # Adapted: what was grey in the light of another white is grey.
        assert np.allclose(made[:3], made[:3, :1], atol=0.02)
    assert difference(made, expected) < 2.0, difference(made, expected)


@pytest.mark.parametrize("matrix", ["smpte2085", "ipt-c2", "ycgco-re", "ycgco-ro"])
async def test_a_matrix_that_nothing_converts_is_refused_in_the_plan(matrix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"recorded as {matrix}, which FFmpeg cannot convert"):
        await planned(clip(tmp_path / "tape.mkv", colorspace=matrix), 480)


@pytest.mark.parametrize(
    "pixel_format",
    [
        "yuv410p", "yuv411p", "yuv440p", "yuv420p", "yuv422p10le", "yuv444p12le", "yuva444p10le",
        "gray", "gray10le", "rgb24", "bgra", "gbrp10le", "pal8", "rgb48le",
    ],
)  # fmt: skip
@pytest.mark.parametrize("height", [480, 720])
async def test_every_pixel_format_keeps_its_colours(pixel_format: str, height: int, tmp_path: Path) -> None:
    if pixel_format == "pal8":
        clip(tmp_path / "rgb.mkv", "rgb24")
        ffmpeg(
            *("-i", tmp_path / "rgb.mkv", "-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse"),
            *("-c:v", "rawvideo", "-pix_fmt", "pal8", tmp_path / "tape.nut"),
        )
        path = tmp_path / "tape.nut"
    else:
        path = tmp_path / (
            "tape.nut" if pixel_format in ("yuv410p", "bgra", "rgb24", "rgb48le") else "tape.mkv"
        )
        suffix = () if path.suffix == ".mkv" else ("-c:v", "rawvideo")
        clip(tmp_path / "full.mkv")
        ffmpeg("-i", tmp_path / "full.mkv", "-pix_fmt", pixel_format, *(suffix or ("-c:v", "ffv1")), path)
    plan = await planned(path, height)
    colour = plan.recipe.target
    made_graph = segment_graph(plan, plan.segments[0], "yuv444p").removesuffix("[out]")
    made = shown(
        *("-i", path),
        graph=made_graph,
        height=height,
        matrix=str(colour.matrix),
        primaries=str(colour.primaries),
    )
    rgb = colour.matrix == "bt709" and pixel_format in ("rgb24", "bgra", "gbrp10le", "pal8", "rgb48le")
    primaries = "bt709" if rgb else "smpte170m"
    clip(tmp_path / "full.mkv")
    lossless = f"scale={height * WIDTH // HEIGHT}:{height}:flags=neighbor"
    grey = "lutyuv=u=128:v=128," if pixel_format.startswith("gray") else ""
    expected = shown(
        *("-i", tmp_path / "full.mkv"),
        graph=f"[0:0]{grey}{lossless}",
        height=height,
        matrix="smpte170m",
        primaries=primaries,
    )
    assert difference(made, expected) < 2.3, difference(made, expected)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("network", [False, True])
async def test_hdr_is_tone_mapped(transfer: str, network: bool, tmp_path: Path) -> None:
    """Grey keeps its brightness up to faces, highlights are told apart, and it stays grey."""
    nits = np.array([1, 5, 20, 60, 100, 203, 400, 600, 800, 1000])
    if transfer == "smpte2084":
        x = (nits / 10_000) ** 0.1593017578125
        signal = ((0.8359375 + 18.8515625 * x) / (1 + 18.6875 * x)) ** 78.84375
    else:
        # A screen of 1000 cd/m2 has a system gamma of 1.2.
        scene = (nits / 1000) ** (1 / 1.2)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        bent = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), bent)
    levels = np.rint(64 + 876 * signal).astype("<u2").repeat(16)
    luma = np.tile(levels, (48, 1))
    chroma = np.full((2, 48, len(levels)), 512, "<u2")
    (tmp_path / "grey.raw").write_bytes((luma.tobytes() + chroma.tobytes()) * 3)
    ffmpeg(
        *(
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv444p10le",
            "-s",
            f"{len(levels)}x48",
            "-i",
            tmp_path / "grey.raw",
        ),
        *("-vf", f"setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}:range=tv"),
        *("-c:v", "ffv1", tmp_path / "tape.mkv"),
    )
    plan = await planned(tmp_path / "tape.mkv", 480)
    assert any("tone-mapped to SDR" in note for note in plan.notes)
    colour = plan.recipe.target
    assert (colour.matrix, colour.primaries, colour.transfer) == ("bt709", "bt709", "bt709")
    make_graph = (
        decode_graph(plan, plan.segments[0])
        if network
        else segment_graph(plan, plan.segments[0], "yuv444p10le")
    )
    command = [
        *(FFMPEG, "-v", "error", "-copyts", *input_arguments(tmp_path / "tape.mkv")),
        *(
            "-filter_complex",
            f"{make_graph};[out]scale=in_color_matrix=bt709,format=gbrp16le[rgb]",
            "-map",
            "[rgb]",
        ),
        *("-f", "rawvideo", "-"),
    ]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: ASYNC221
    # Without a model that enlarges, a model of faces gets frames of the output's size.
    height = 480
    picture = np.frombuffer(done.stdout, "<u2").reshape(-1, 3, height, height // 48 * len(levels))[-1] / 65535
    shown = picture[:, height // 2].reshape(3, len(nits), -1)
    middle = shown[:, :, shown.shape[2] // 2]
    assert np.allclose(middle, middle[0], atol=0.01)
    light = middle.mean(axis=0) ** 2.4 * 203
    assert np.allclose(light[1:4], nits[1:4], rtol=0.1, atol=0.6), light
    assert 0.55 < light[5] / 203 < 0.8
    assert (np.diff(light) > 0.5).all(), light
    assert light[-1] / 203 > 0.8


async def test_zeros_are_those_of_untagged_video(tmp_path: Path) -> None:
    """MPEG-2 forbids zeros for primaries, transfer and matrix; some encoders write them all the same."""
    tags = "setparams=color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m"
    tape = tmp_path / "tape.vob"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=352x240:r=30000/1001,format=yuv420p,{tags}", "-frames:v", "6"),
        *("-c:v", "mpeg2video", "-q:v", "3", "-aspect", "4:3", "-f", "vob", tape),
    )
    # The sequence display extension, which says that colours are described.
    zeroed, count = re.subn(rb"(\x00\x00\x01\xb5[\x21-\x2f])\x06\x06\x06", rb"\1\0\0\0", tape.read_bytes())
    assert count
    tape.write_bytes(zeroed)
    for height, standard in (("240", "smpte170m"), ("720", "bt709")):
        words = ("upscale", tape, "-o", f"made{height}.mp4", "-p", "clean", "-r", height)
        done = program.run(*words, "--engine", "ffmpeg", "--no-tui", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        made = (await probe(tmp_path / f"made{height}.mp4", ffmpeg=FFMPEG)).video.colour
        assert (made.matrix, made.primaries, made.transfer) == (standard, standard, standard)


@pytest.mark.parametrize("number", [3, 77])
async def test_a_matrix_that_does_not_exist_is_that_of_untagged_video(number: int, tmp_path: Path) -> None:
    """FFmpeg takes no frame with such a number into a filter graph."""
    values = f"colour_primaries={number}:transfer_characteristics={number}:matrix_coefficients={number}"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=176x144:r=30000/1001,format=yuv420p", "-frames:v", "130"),
        *("-c:v", "mpeg2video", "-q:v", "9", "-aspect", "4:3", "-bsf:v", f"mpeg2_metadata={values}"),
        *("-f", "vob", tmp_path / "tape.vob"),
    )
    words = ("upscale", "tape.vob", "-o", "made.mp4", "-p", "clean", "-r", "240", "--engine", "ffmpeg")
    done = program.run(*words, "--no-tui", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = (await probe(tmp_path / "made.mp4", ffmpeg=FFMPEG)).video
    assert made.frames == 130
    assert (made.colour.matrix, made.colour.primaries, made.colour.transfer) == ("smpte170m",) * 3


@pytest.mark.parametrize(
    ("standard", "height"),
    [("bt470bg", "480"), ("bt470bg", "576"), ("bt470bg", "720"), ("bt470bg", "1080"), ("bt470m", "480")],
)
async def test_tags_of_a_dvd_stay_in_sd(standard: str, height: str, tmp_path: Path) -> None:
    matrix = "bt470bg" if standard == "bt470bg" else "fcc"
    tags = f"setparams=color_primaries={standard}:color_trc={standard}:colorspace={matrix}"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=352x288:r=25,format=yuv420p,{tags}", "-frames:v", "3"),
        *("-c:v", "mpeg2video", "-q:v", "3", "-aspect", "4:3", "-f", "vob", tmp_path / "tape.vob"),
    )
    words = ("upscale", "tape.vob", "-o", "made.mp4", "-p", "clean", "-r", height, "--engine", "ffmpeg")
    done = program.run(*words, "--no-tui", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = (await probe(tmp_path / "made.mp4", ffmpeg=FFMPEG)).video.colour
    gamma = {"bt470bg": "gamma28", "bt470m": "gamma22"}[standard]
    expected = (matrix, standard, gamma) if int(height) < 720 else ("bt709", "bt709", "bt709")
    assert (made.matrix, made.primaries, made.transfer) == expected
