"""Complete FFmpeg command lines and filter graphs of common sources.

`tests/golden/command_lines` and `tests/golden/filter_graphs` hold them, quoted as for a shell, each
option and each filter on a line of its own; a change of any may be a change of results.
``VHSBATCH_WRITE_GOLDEN=1 pytest tests/unit/ffmpeg`` writes them anew, for a look at the difference.
"""

import dataclasses
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import make
from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.preset_schema import Deinterlace, Upscale
from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.audio import MeasuredSound, plan_audio
from vhsbatch.ffmpeg.encoders import EncodeArguments, video_arguments
from vhsbatch.ffmpeg.filters import segment_graph
from vhsbatch.ffmpeg.formats import concat_script
from vhsbatch.ffmpeg.frame_times import own_frames
from vhsbatch.ffmpeg.output_commands import check_command, join_command, reread_command
from vhsbatch.ffmpeg.preroll import PREROLL_S
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.segment_commands import (
    Threads,
    decode_command,
    encode_command,
    fields_command,
    segment_command,
)
from vhsbatch.model.media import Colour, FieldOrder, MediaInfo, Telecine
from vhsbatch.model.plan import Job, JobPlan, Upscaling, UpscalingModel
from vhsbatch.restore.planner import Toolchain, make_plan

GOLDEN = Path(__file__).parents[2] / "golden"
WRITE = "VHSBATCH_WRITE_GOLDEN"
THREADS = Threads(decode=4, filter=6)
PRESETS = load_presets()

NTSC_DV = make.info(make.track(frames=5400))
PAL_MPEG2 = make.info(
    make.track(
        codec="mpeg2video",
        height=576,
        pixel_format="yuv420p",
        sar=Fraction(16, 15),
        rate=Fraction(25),
        frames=4500,
        start_s=Fraction(25200, 90000),
        field_order=FieldOrder.TFF,
        colour=Colour(matrix="bt470bg", primaries="bt470bg", transfer="gamma28", range="tv"),
    ),
    path=Path("/in/Ümläut 'tape' 1.mpg"),
    container="mpeg",
    audio=(
        make.sound(codec="mp2", language="deu"),
        make.sound(index=3, codec="pcm_dvd", channels=6, start_s=Fraction(1, 4)),
    ),
)
PROGRESSIVE = make.info(
    make.track(
        codec="h264",
        width=640,
        pixel_format="yuv420p",
        sar=None,
        frames=5400,
        field_order=FieldOrder.PROGRESSIVE,
    ),
    path=Path("/in/clip.mp4"),
    container="mov,mp4,m4a,3gp,3g2,mj2",
    audio=(make.sound(codec="aac"),),
)
PHONE = make.info(
    make.track(
        codec="h264",
        pixel_format="yuv420p",
        sar=None,
        rate=Fraction(30),
        frames=5400,
        constant_rate=False,
        repeated_frames=120,
        field_order=FieldOrder.PROGRESSIVE,
    ),
    path=Path("/in/phone.mp4"),
    container="mov,mp4,m4a,3gp,3g2,mj2",
)
TELECINED = make.info(
    make.track(
        codec="mpeg2video",
        pixel_format="yuv420p",
        frames=5400,
        field_order=FieldOrder.TFF,
        telecine=Telecine.HARD,
    ),
    path=Path("/in/film.vob"),
    container="mpeg",
)
# What is rare, all at once: packed samples, a turned picture, no sound, and a preset with every filter.
UNCOMMON = make.info(
    make.track(codec="rawvideo", pixel_format="uyvy422", sar=None, frames=5400, rotation_degrees=90),
    path=Path("/in/capture.avi"),
    container="avi",
    audio=(),
)
EVERY_FILTER = Preset.model_validate(
    {
        "name": "every_filter",
        "target_height": 640,
        "container": "mov",
        "deinterlace": {"method": "w3fdif", "rate": "frame"},
        "crop": {"left": 8, "right": 6, "top": 4, "bottom": 12, "mask_bottom_lines": 14},
        "denoise": {"method": "nlmeans"},
        "colour": {
            "brightness": 0.02,
            "contrast": 1.1,
            "saturation": 0.9,
            "gamma": 1.2,
            "chroma_shift_x": -4,
            "chroma_shift_y": 2,
            "lut": Path("/luts/it's: [warm], 1.cube"),
            "lut_strength": 0.4,
        },
        "video": {"encoder": "hevc_vaapi", "bit_depth": 10},
    }
)


NETWORK = Upscaling(
    model="animevideov3-x3",
    models=(UpscalingModel(scale=3, param=Path("/models/x3.param"), weights=Path("/models/x3.bin")),),
    runtime="ncnn",
    device="0",
)


def planned(info: MediaInfo, preset: Preset, upscaling: Upscaling | None = None) -> JobPlan:
    job = Job(id="tape_1080p.mp4", index=1, source=info.path, output=Path("/out/tape_1080p.mp4"))
    encoder = "libx264" if preset.video.encoder == "auto" else preset.video.encoder
    toolchain = Toolchain(
        engine="ffmpeg" if upscaling is None else "realesrgan",
        upscaling=upscaling,
        encoder=encoder,
        container=preset.container,
        identity={},
    )
    frames = own_frames(info.video)
    recipe = resolve(info.video, preset)
    times_s = [Fraction(number, 29) for number in range(frames)] if recipe.keeps_times else None
    return make_plan(job, info, preset, recipe, toolchain, times_s=times_s)


def encode_of(plan: JobPlan) -> EncodeArguments:
    video = plan.preset.video
    return video_arguments(
        plan.encoder,
        quality=video.quality,
        speed=video.speed,
        bit_depth=video.bit_depth,
        rate=plan.rate,
        threads=THREADS.filter,
    )


FEWER_COLUMNS = PRESETS["vhs"].model_copy(update={"upscale": Upscale(ai_width=480)})

NNEDI = PRESETS["vhs"].model_copy(update={"deinterlace": Deinterlace(method="nnedi")})
DROPOUTS = PRESETS["vhs"].model_copy(update={"dropouts": True})
QTGMC = PRESETS["vhs"].model_copy(update={"deinterlace": Deinterlace(method="qtgmc")})

CASES: Mapping[str, JobPlan] = {
    "ntsc_dv": planned(NTSC_DV, PRESETS["vhs"]),
    "pal_mpeg2": planned(PAL_MPEG2, PRESETS["vhs"]),
    "progressive": planned(PROGRESSIVE, PRESETS["vhs"]),
    "network": planned(NTSC_DV, PRESETS["vhs"], NETWORK),
    "network_of_fewer_columns": planned(NTSC_DV, FEWER_COLUMNS, NETWORK),
    "archive": planned(NTSC_DV, PRESETS["vhs_archive"]),
    "vfr": planned(PHONE, PRESETS["youtube"].model_copy(update={"vfr": "keep"})),
    "nnedi": dataclasses.replace(
        planned(PAL_MPEG2, NNEDI), nnedi_weights=Path("/weights/nnedi3_weights.bin")
    ),
    "dropouts": planned(NTSC_DV, DROPOUTS),
    "qtgmc": planned(NTSC_DV, QTGMC),
    "qtgmc_and_network": planned(PAL_MPEG2, QTGMC, NETWORK),
    "film": planned(TELECINED, PRESETS["dvd"]),
    "uncommon": planned(UNCOMMON, EVERY_FILTER),
}


def commands(plan: JobPlan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command line of a plan; of the segments the first, which is not sought, and the second."""
    encode = encode_of(plan)
    for segment in plan.segments[:2]:
        number = segment.index + 1
        output = Path(f"/work/segment-{segment.index:05}.part")
        if plan.recipe.uses_vapoursynth:
            yield f"fields of segment {number}", fields_command("ffmpeg", plan, segment, THREADS)
        if plan.upscaling is None:
            yield (
                f"segment {number}",
                segment_command("ffmpeg", plan, segment, encode=encode, output=output, threads=THREADS),
            )
            continue
        width, height = (edge * plan.upscaling.scale for edge in plan.recipe.model_input)
        yield f"decode segment {number}", decode_command("ffmpeg", plan, segment, THREADS)
        yield (
            f"encode segment {number}",
            encode_command(
                "ffmpeg", plan, encode=encode, output=output, threads=THREADS, width=width, height=height
            ),
        )
    script, joined = Path("/work/segments.ffconcat"), Path("/out/tape.part")
    retimed = Path("/work/retimed.mp4") if plan.shown_s is not None else None
    yield (
        "join",
        join_command("ffmpeg", plan, script, plan_audio(plan, MeasuredSound()), joined, retimed=retimed),
    )
    yield "reread", reread_command("ffmpeg", plan, joined)
    yield "check", check_command("ffmpeg", joined, threads=4)


def sections(plan: JobPlan) -> Iterator[tuple[str, list[str]]]:
    for title, command in commands(plan):
        yield title, list(lines_of(command))
    files = [Path(f"/work/it's/segment-{segment.index:05}.mp4") for segment in plan.segments]
    script = concat_script(files, [segment.frames / plan.rate for segment in plan.segments])
    yield "segments.ffconcat", script.splitlines()


def lines_of(command: tuple[str, ...]) -> Iterator[str]:
    """Each option with its values, and each filter, on a line of its own."""
    options: list[list[str]] = [[]]
    for word in command:
        if re.match("-[a-z]", word):
            options.append([])
        options[-1].append(word)
    for words in options:
        if words[0] == "-filter_complex":
            yield words[0]
            yield from (f"  {line}" for line in filters_of(words[1]))
        else:
            yield shlex.join(words)


def filters_of(graph: str) -> list[str]:
    return graph.replace(";", ";\n").splitlines()


def written(parts: Iterator[tuple[str, list[str]]]) -> str:
    return "\n".join(f"# {title}\n" + "".join(f"{line}\n" for line in lines) for title, lines in parts)


def expect(text: str, name: str) -> None:
    """Compare with a golden file, or write it."""
    path = GOLDEN / name
    if os.environ.get(WRITE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == golden, f"not what {path} says; if it is meant to be, {WRITE}=1 writes the file anew"


@pytest.mark.parametrize("case", CASES)
def test_command_lines(case: str) -> None:
    expect(written(sections(CASES[case])), f"command_lines/{case}.txt")


@pytest.mark.parametrize("preset", PRESETS)
def test_filter_graphs_of_the_shipped_presets(preset: str) -> None:
    plan = planned(NTSC_DV, PRESETS[preset])
    graph = segment_graph(plan, plan.segments[1], encode_of(plan).pixel_format)
    expect("".join(f"{line}\n" for line in filters_of(graph)), f"filter_graphs/{preset}.txt")


def test_there_are_no_other_golden_files() -> None:
    for folder, names in (("command_lines", CASES), ("filter_graphs", PRESETS)):
        assert {path.name for path in (GOLDEN / folder).iterdir()} == {f"{name}.txt" for name in names}


# --- what holds for all of them --------------------------------------------------------------------


def values(command: tuple[str, ...], option: str) -> list[str]:
    return [value for word, value in pairwise(command) if word == option]


@pytest.mark.parametrize("case", CASES)
def test_every_file_is_read_and_written_by_its_full_name(case: str) -> None:
    for _, command in commands(CASES[case]):
        assert command[0] == "ffmpeg"
        assert "-nostdin" in command
        assert all(name.startswith("file:/") or name == "pipe:0" for name in values(command, "-i"))
        assert command[-1].startswith("file:/") or command[-1] in ("pipe:1", "-")
        assert all(name.startswith("file:/") for name in values(command, "-y"))
        if command[-1].startswith("file:"):
            assert values(command, "-y") == [command[-1]]


@pytest.mark.parametrize("case", CASES)
def test_segments_differ_in_where_they_are_read_and_cut_alone(case: str) -> None:
    plan = CASES[case]
    reading = "segment" if plan.upscaling is None else "decode segment"
    made = dict(commands(plan))
    first, second = made[f"{reading} 1"], made[f"{reading} 2"]
    apart = plan.recipe.uses_vapoursynth
    sought = "fields of segment" if apart else reading
    assert values(made[f"{sought} 1"], "-ss") == []
    (start,) = values(made[f"{sought} 2"], "-ss")
    segment = plan.segments[1]
    begins_s = segment.start_frame / plan.rate if segment.from_s is None else segment.from_s
    start_s = float(plan.info.video.start_s + begins_s - PREROLL_S)
    assert float(start) == pytest.approx(start_s, abs=1e-6)
    graphs = []
    for segment, command in zip(plan.segments, (first, second), strict=False):
        (graph,) = values(command, "-filter_complex")
        cut = [f"trim=end_pts={segment.stop_frame},setpts=PTS-{segment.start_frame}["]
        if plan.upscaling is not None:
            cut = [f"trim=end_pts={segment.stop_frame}[", f"setpts=PTS-{segment.start_frame}["]
        cut += [f"trim=start_pts={segment.start_frame}["]
        if segment.from_s is not None and segment.to_s is not None:
            cut = [f"trim=end={float(segment.to_s):.9f}:start={float(segment.from_s):.9f}["]
        assert {graph.count(words) for words in cut} == {1}
        # Film is counted in whole cycles from a certain frame on.
        graph = re.sub(r":start_time=[\d.]+|setpts=N\+\d+", "", graph)
        if not apart:
            # What a seek lands on before that is left out.
            read_from = rf"trim=start={start_s:.9f}\[s\d+\];\[s\d+\]"
            assert len(re.findall(read_from, graph)) == (segment.index > 0)
            graph = re.sub(r"\[s\d+\]", "[s]", re.sub(read_from, "", graph))
        for words in cut:
            graph = graph.replace(words, "")
        graphs.append(graph)
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize(
    "changes", [{"frames": 90}, {"start_s": Fraction(1, 3)}, {"rate": Fraction(25)}], ids=str
)
def test_a_short_video_is_never_sought(changes: dict[str, Any]) -> None:
    plan = planned(make.info(make.track(**changes)), PRESETS["vhs"])
    (command,) = (command for title, command in commands(plan) if title.startswith("segment"))
    assert "-ss" not in command


@pytest.mark.parametrize(
    ("encoder", "container", "tagged"),
    [
        ("libx265", "mp4", True),
        ("hevc_nvenc", "mov", True),
        ("libx265", "mkv", False),
        ("libx264", "mp4", False),
        ("libsvtav1", "mp4", False),
    ],
)
def test_hevc_is_tagged_as_players_want_it(encoder: str, container: str, tagged: bool) -> None:
    preset = Preset.model_validate({"name": "p", "container": container, "video": {"encoder": encoder}})
    plan = planned(NTSC_DV, preset)
    command = join_command("ffmpeg", plan, Path("/work/s"), plan_audio(plan, MeasuredSound()), Path("/out/x"))
    assert values(command, "-tag:v") == (["hvc1"] if tagged else [])


def test_a_track_that_becomes_several_feeds_one_graph_and_keeps_its_tags() -> None:
    tracks = (make.sound(index=1, channels=2), make.sound(index=2, channels=10), make.sound(index=3))
    audio = {"bitrate_kbps": 128, "loudness_lufs": -20.0}
    plan = planned(
        make.info(make.track(), audio=tracks), Preset.model_validate({"name": "p", "audio": audio})
    )
    command = join_command("ffmpeg", plan, Path("/work/s"), plan_audio(plan, MeasuredSound()), Path("/out/x"))
    (graph,) = values(command, "-filter_complex")
    assert graph.startswith("[1:2]asplit=5[split1][split2][split3][split4][split5];[split1]pan=stereo|")
    sounds = [f"[sound{number}]" for number in range(1, 6)]
    assert values(command, "-map") == ["0:v:0", "1:1", *sounds, "1:3", "0:v:0"]
    assert [values(command, f"-map_metadata:s:a:{number}") for number in (0, 1, 5, 6)] == [
        *([], ["1:s:2"], ["1:s:2"], []),
    ]
    assert not any(values(command, f"-filter:a:{number}") for number in range(1, 6))


@pytest.mark.parametrize(
    ("rate", "timescale"),
    [
        (Fraction(25), "12800"),
        (Fraction(50), "12800"),
        (make.NTSC_RATE, "30000"),
        (Fraction(15), "15360"),
        (Fraction(10_000), "10000"),
    ],
)
def test_every_frame_time_is_a_whole_number_of_ticks(rate: Fraction, timescale: str) -> None:
    tape = make.track(rate=rate, field_order=FieldOrder.PROGRESSIVE)
    plan = planned(make.info(tape), PRESETS["vhs"])
    command = join_command("ffmpeg", plan, Path("/work/s"), (), Path("/out/x"))
    assert values(command, "-video_track_timescale") == [timescale]
    assert (int(timescale) / rate).denominator == 1


def test_a_concat_script_states_each_length_and_quotes_each_name() -> None:
    files = [Path("/w/it's here\\1.mp4"), Path("/w/%d [2].mp4")]
    assert concat_script(files, [Fraction(1001, 1000), Fraction(1, 3)]) == (
        "ffconcat version 1.0\n"
        "file 'file:/w/it'\\''s here\\1.mp4'\n"
        "duration 1.001000\n"
        "file 'file:/w/%d [2].mp4'\n"
        "duration 0.333333\n"
    )
