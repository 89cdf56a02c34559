"""Every failure before any work: one line with the cause and the fix, and the exit code."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import program
from clips import make_clip
from vhsbatch.cli import run
from vhsbatch.config.settings import ENV_PREFIX

BATCH = "batch in out"
PRESETS = "presets: auto, clean, vhs"
COUNT = "must be a whole number of at least 1"
OUT = "(name the output folder of a batch)"
ONE_VIDEO = "(give a video; 'vhs-upscale batch' takes a folder)"

# What is typed, perhaps after variables; the exit code; and what the line names, in this order.
REFUSALS = [
    # --- words -----------------------------------------------------------------------------------
    ("nonsense", 2, 'Unknown command "nonsense" (vhs-upscale --help says what there is)'),
    ("batch", 2, "INPUT_FOLDER is missing (vhs-upscale batch --help says what there is)"),
    ("batch in", 2, "OUTPUT_FOLDER is missing (vhs-upscale batch --help"),
    ("batch in my tapes", 2, "too many words: tapes (names with spaces need quotes)"),
    (f"{BATCH} --no-such", 2, "Unknown option: --no-such. Did you mean --no-tui? (vhs-upscale batch --help"),
    (f"{BATCH} --clr 3", 2, "Unknown option: --clr. Did you mean --crf?"),
    (f"{BATCH} --from 10", 2, "--from: an excerpt is of one video (use vhs-upscale upscale VIDEO --from"),
    (f"{BATCH} --to=10", 2, '--to: an excerpt is of one video … or write to = "1:30" into a file beside the'),
    ("watch in out --from 1", 2, "--from: an excerpt is of one video"),
    (f"{BATCH} -p", 2, "-p needs a value (vhs-upscale batch --help says what there is)"),
    (f"{BATCH} --crf abc", 2, "--crf abc: must be a whole number (vhs-upscale batch --help"),
    ("watch in out --settle soon", 2, "--settle soon: must be a number (vhs-upscale watch --help"),
    (f"{BATCH} --order size", 2, 'Invalid value "size" for --order. Choose from: "name", "shortest"'),
    (f"{BATCH} --engine waifu", 2, 'Invalid value "waifu" for --engine. Choose from: "auto", "realesrgan"'),
    (f"{BATCH} --field-order top", 2, 'Invalid value "top" for --field-order. Choose from: "tff"'),
    ("completion tcsh", 2, 'Invalid value "tcsh" for SHELL. Choose from: "bash", "zsh", "fish"'),
    ("config nonsense", 2, 'Unknown command "nonsense". Available commands: show'),
    # --- options of a batch ----------------------------------------------------------------------
    (f"{BATCH} --parallel 0", 2, f"--parallel 0: {COUNT}, 'auto', or a range such as 1..4"),
    (f"{BATCH} --parallel many", 2, f"--parallel many: {COUNT}, 'auto', or a range"),
    (f"{BATCH} --slots-per-gpu 0", 2, f"--slots-per-gpu 0: {COUNT}, or 'auto'"),
    (f"{BATCH} --retries -1", 2, "--retries -1: must be greater than or equal to 0"),
    (f"{BATCH} --nice 99", 2, "--nice 99: must be less than or equal to 19"),
    (f"{BATCH} --max-pixels 0", 2, "--max-pixels 0: must be greater than or equal to 1"),
    (f"{BATCH} --max-count 0", 2, "--max-count 0 … (use 1 or more)"),
    (f"{BATCH} --suffix a/b", 2, "--suffix 'a/b' cannot be part of a file name (for example _restored)"),
    (f"{BATCH} --pattern '*.xyz'", 2, "no videos in in match *.xyz (--recursive looks into sub-folders too)"),
    (f"{BATCH} --priority x", 2, "--priority x: must be a pattern and a whole number (for example 'wedding*"),
    (f"{BATCH} --replan", 2, "--replan … (add --resume)"),
    (f"{BATCH} --quiet --json", 2, "--quiet … --json … (leave one of them"),
    # --- what comes out --------------------------------------------------------------------------
    (f"{BATCH} -p vsh", 2, f"there is no preset 'vsh' (did you mean 'vhs'? {PRESETS}"),
    (f"{BATCH} --crf 99", 2, "--crf 99: must be 0 to 51 for the default encoder"),
    (f"{BATCH} --crf 70 --encoder libsvtav1", 2, "--crf 70: must be 1 to 63 for libsvtav1"),
    (f"{BATCH} -r 1081", 2, "--resolution 1081: must be a multiple of 2"),
    (f"{BATCH} -r 10", 2, "--resolution 10: must be greater than or equal to 120"),
    (f"{BATCH} -p VHS", 2, f"there is no preset 'VHS' (did you mean 'vhs'? {PRESETS}"),
    (f"{BATCH} --encoder h265", 2, "--encoder h265: not one of the choices (did you mean 'libx265'?"),
    (f"{BATCH} --encoder H.264", 2, "--encoder H.264: not one of the choices (did you mean 'libx264'?"),
    (f"{BATCH} --encoder libx263", 2, "--encoder libx263: not one of the choices (did you mean 'libx265'?"),
    (f"{BATCH} --encoder h264_nvenc", 3, "(choose another with --encoder; 'vhs-upscale doctor' says which"),
    (f"{BATCH} --deinterlace qtgm", 2, 'Invalid value "qtgm" for --deinterlace. Choose from: "none", "bwd'),
    (f"{BATCH} --vapoursynth-python no-python --deinterlace qtgmc", 3, "QTGMC does not run with no-python: "),
    (f"{BATCH} --aspect wide", 2, "--aspect wide: must be a ratio of width to height (for example 4:3 or"),
    (f"{BATCH} --aspect 0:0", 2, "--aspect 0:0: must be a ratio of width to height (for example 4:3 or"),
    (f"{BATCH} --pad 16:9 --keep-sar", 2, "keep_sar and pad do not go together"),
    (f"{BATCH} --auto-detect -p vhs", 2, "--auto-detect … --preset … vhs … (leave one of them"),
    ("upscale in/tape.avi -o out.mov --encoder libsvtav1", 2, "libsvtav1 does not fit into mov: use mp4 or"),
    # --- the network -----------------------------------------------------------------------------
    (f"{BATCH} --device 7 --engine realesrgan", 2, "--device 7: there is no such Vulkan device (there: "),
    (f"{BATCH} --device gpu", 2, "--device gpu: must be 'auto', 'cpu' or the number of a Vulkan device"),
    (f"{BATCH} --gpus 7 --engine realesrgan", 2, "--gpus 7: there is no such Vulkan device (there: "),
    (f"{BATCH} --gpus a", 2, "--gpus a: must be the numbers of Vulkan devices, such as 0,1"),
    (f"{BATCH} --gpus 0,0", 2, "--gpus 0,0: one of them is listed twice (list it once)"),
    (f"{BATCH} --gpus 0 --device cpu", 2, "--gpus and --device both say where the model runs (leave one"),
    (f"{BATCH} --model no.param", 2, "no.param is not there (give a .param file with its .bin beside it)"),
    (f"{BATCH} --model x.param", 2, "x.param is not a .param file of ncnn in text form (use one that make"),
    (f"{BATCH} --runtime ncnn --engine ffmpeg", 2, "--runtime ncnn … --engine ffmpeg … (leave one of them"),
    # --- configuration ---------------------------------------------------------------------------
    (f"{BATCH} --config no.toml", 2, "no.toml cannot be read: No such file or directory (give a TOML file i"),
    (f"{BATCH} --config in", 2, "in cannot be read: Is a directory (give a TOML file in UTF-8)"),
    (f"{BATCH} --config binary.toml", 2, "binary.toml is not a text file in UTF-8 (give a TOML file in UTF-"),
    (f"{BATCH} --config torn.toml", 2, "torn.toml is not valid TOML: Invalid value (at line 1, column 11) ("),
    (f"{BATCH} --config wrong.toml", 2, 'wrong.toml: retries = "many": must be a whole number'),
    (f"{BATCH} --config typo.toml", 2, "typo.toml: retires: unknown key (did you mean 'retries'?)"),
    (f"{BATCH} --config table.toml", 2, """[files."*.avi"]: prest: unknown key (did you mean 'preset'?)"""),
    (f"{BATCH} --config value.toml", 2, """[files."*.avi"]: denoise.chroma_spatial = "much": must be a n"""),
    (f"{BATCH} --config run.toml", 2, """[files."*.avi"]: container: is the same for all videos (choose"""),
    (f"{BATCH} --config presets.toml", 2, "mine.toml: preset 'mine': inherits from 'vsh', which does not ex"),
    (f"{BATCH} --config gone.toml", 2, "nowhere.toml cannot be read: No such file or directory (give a TOML"),
    (f"{BATCH} --config lut.toml", 2, "no.cube is not a .cube file that exists"),
    ("config show --config no.toml", 2, "no.toml cannot be read"),
    ("doctor --config typo.toml", 2, "typo.toml: retires: unknown key"),
    ("presets vsh", 2, f"there is no preset 'vsh' (did you mean 'vhs'? {PRESETS}"),
    (f"VHSBATCH_RETRIES=x {BATCH}", 2, "VHSBATCH_RETRIES=x: must be a whole number"),
    (f"VHSBATCH_RETIRES=3 {BATCH}", 2, "VHSBATCH_RETIRES is no setting (did you mean VHSBATCH_RETRIES?)"),
    ("upscale VTS_01_1.VOB -o x.mp4", 2, "VTS_01_1.VOB is a part of a DVD title ('vhs-upscale batch FOLDER"),
    # --- tools -----------------------------------------------------------------------------------
    (f"VHSBATCH_FFMPEG=nope {BATCH}", 3, "FFmpeg 'nope' is not there or cannot be executed (leave the setti"),
    (f"VHSBATCH_FFMPEG=./old {BATCH}", 3, "old is FFmpeg 4.4.1; 5.1 or newer is needed (leave the setting"),
    (f"VHSBATCH_FFMPEG=./broken {BATCH}", 3, "broken is not an FFmpeg that runs here (leave the setting"),
    ("VHSBATCH_FFMPEG=nope analyze in/tape.avi", 3, "FFmpeg 'nope' is not there"),
    ("VHSBATCH_FFMPEG=nope verify done", 3, "FFmpeg 'nope' is not there"),
    # --- what goes in ----------------------------------------------------------------------------
    ("batch nowhere out", 2, "input folder nowhere does not exist (give a folder of videos; for one video u"),
    ("batch file out", 2, "input folder file is not a folder (give a folder of videos; for one video use"),
    ("batch empty out", 2, "no videos in empty (--recursive looks into sub-folders too)"),
    ("upscale nowhere.avi -o out", 2, f"nowhere.avi does not exist {ONE_VIDEO}"),
    ("upscale in -o out", 2, f"in is a folder {ONE_VIDEO}"),
    ("analyze nowhere", 2, f"nowhere does not exist {ONE_VIDEO}"),
    ("analyze notes.avi", 1, "notes.avi: it is not a video that can be read"),
    ("analyze file", 1, "file: it is empty (0 bytes) (copy it again from the original)"),
    ("test-presets notes.avi -o compared", 1, "notes.avi: it is not a video that can be read"),
    ("test-presets in -o compared", 2, f"in is a folder {ONE_VIDEO}"),
    ("test-presets in/tape.avi -o compared --presets ,", 2, "--presets … (presets: auto, clean"),
    ("test-presets in/tape.avi -o compared --duration 0", 2, "--duration 0 … (use more than 0 seconds)"),
    ("test-presets in/tape.avi -o compared --clip-count 0", 2, "--clip-count 0 … (use 1 or more)"),
    ("test-presets in/tape.avi -o compared --start -1", 2, "--start -1 … (use 0 or more seconds)"),
    ("test-presets in/tape.avi -o compared --start 9", 2, "is beyond the end of the video (0.1 s)"),
    # --- where it goes ---------------------------------------------------------------------------
    ("batch in file", 4, "file: Not a directory (choose another one, or change its permissions)"),
    ("batch in file/out", 4, "file/out: Not a directory (choose another one, or change its permissions)"),
    ("batch in /proc/out", 4, "cannot write to the output folder /proc/out: No such file or directory (choo"),
    ("watch in file", 4, "file: it is not a folder (choose another folder, or change its permissions)"),
    ("upscale in/tape.avi -o out.avi", 2, "out.avi: results are .mp4, .mkv or .mov (or name a folder that"),
    ("upscale film.mp4 -o film.mp4", 2, "film.mp4 is a source and would be overwritten (choose another"),
    ("upscale in/tape.avi -o file/film.mp4", 4, "file: Not a directory (choose another one, or change its"),
    ("test-presets in/tape.avi -o file", 4, "file: it is not a folder (choose another folde"),
    ("test-presets in/tape.avi -o /proc/x", 4, "cannot write to /proc/x: No such file or directory (choose"),
    (f"{BATCH} --temp-dir file", 4, "file: it is not a folder (choose another folder, or change its permiss"),
    (f"{BATCH} --temp-dir /proc/x", 4, "cannot write to /proc/x: No such file or directory (choose another"),
    (f"{BATCH} --log-file in", 2, "--log-file in: Is a directory (name a file in a folder that you may writ"),
    ("watch in out --log-file no/such.log", 2, "--log-file no/such.log: No such file or directory (name a"),
    # --- what is there already -------------------------------------------------------------------
    ("batch in other --resume", 4, "another version … (add --replan"),
    ("log nowhere", 2, f"nowhere does not exist {OUT}"),
    ("log file", 2, f"file is not a folder {OUT}"),
    ("log empty", 2, f"nothing has been restored into empty yet {OUT}"),
    ("verify empty", 2, f"no results with a record are in empty {OUT}"),
    ("attach nowhere", 2, f"nowhere does not exist {OUT}"),
    ("attach empty", 2, "attach needs a terminal … (add --plain, or use 'vhs-upscale log empty')"),
    ("attach empty --plain", 2, f"empty yet {OUT}"),
    ("steer nowhere pause", 2, f"nowhere does not exist {OUT}"),
    ("steer empty pause", 2, f"empty yet {OUT}"),
    ("steer other pause", 2, "no batch … other … 'vhs-upscale log other'"),
    ("steer other", 2, "WHAT is missing (vhs-upscale steer --help says what there is)"),
    ("steer other halt", 2, 'Invalid value "halt" for WHAT. Choose from: "pause", "resume", "more", "fewer"'),
    ("steer other priority a.avi high", 2, "PRIORITY high: must be a whole number (vhs-upscale steer --help"),
    ("serve nowhere", 2, f"nowhere does not exist {OUT}"),
    ("serve empty --port 99999", 2, "--port 99999: a port is a number from 0 to 65535"),
    ("serve empty --public-url nonsense", 2, "--public-url nonsense is no address (for example https://"),
    ("serve empty --host 203.0.113.9 --port 0", 2, "203.0.113.9 is no address of this machine (leave --host"),
    # --- what follows ----------------------------------------------------------------------------
    (f"{BATCH} --notify nonsense", 2, "--notify: nonsense is not an address that Apprise supports"),
    (f"{BATCH} --notify-on never", 2, 'Invalid value "never" for --notify-on. Choose from: "end", "failure"'),
    (f"{BATCH} --on-video no-such-program", 2, "--on-video: there is no program 'no-such-program' (give its"),
    (f"{BATCH} --on-batch ./notes.avi", 2, "--on-batch: there is no program './notes.avi' (give its path, a"),
    (f'{BATCH} --on-video "sh -c \'x"', 2, "cannot be split into words: No closing quotation"),
    # --- a watched folder ------------------------------------------------------------------------
    ("watch nowhere out", 2, "input folder nowhere does not exist, or is not a folder (create it)"),
    ("watch in out --settle -1", 2, "--settle -1: must be more than 0 seconds (for example 10)"),
    ("watch in out --poll 0", 2, "--poll 0: must be more than 0 seconds (for example 30)"),
    ("watch in out --dry-run", 2, "--dry-run … watch (use 'vhs-upscale batch')"),
    ("watch in out --quiet --json", 2, "--quiet … --json … (leave one of them"),
    # --- many machines ---------------------------------------------------------------------------
    (f"{BATCH} --cluster nonsense", 2, "nonsense is not the address of a cluster (for example"),
    (f"{BATCH} --cluster local:0", 2, "--cluster local:0: how many workers? (for example --cluster local:4)"),
    (f"{BATCH} --cluster tcp://10.0.0.1", 2, "tcp://10.0.0.1:8786 has no TLS: anyone who can connect to it"),
    (f"{BATCH} --cluster tls://127.0.0.1", 2, "needs --tls-ca, --tls-cert, --tls-key (--tls FOLDER names al"),
    (f"{BATCH} --map-path /a=/b", 2, "--map-path … (add --cluster, or leave it out)"),
    ("scheduler nonsense", 2, "nonsense is not the address of a cluster (for example"),
    ("worker tcp://10.0.0.1", 2, "tcp://10.0.0.1:8786 has no TLS: anyone who can connect to it can run p"),
]  # fmt: skip

FILES = {
    "file": b"",
    "notes.avi": b"no video\n",
    "binary.toml": b"\xff\xfe\x00",
    "torn.toml": b"retries = \n",
    "wrong.toml": b'retries = "many"\n',
    "typo.toml": b"retires = 1\n",
    "table.toml": b'[files."*.avi"]\nprest = "vhs"\n',
    "value.toml": b'[files."*.avi"]\ndenoise = { chroma_spatial = "much" }\n',
    "run.toml": b'[files."*.avi"]\ncontainer = "mkv"\n',
    "presets.toml": b'presets = ["mine.toml"]\n',
    "mine.toml": b'[mine]\ninherits = "vsh"\n',
    "gone.toml": b'presets = ["nowhere.toml"]\n',
    "lut.toml": b'presets = ["lutted.toml"]\n',
    "lutted.toml": b'[mine]\ncolour = { lut = "no.cube" }\n',
    "VTS_01_1.VOB": b"",
    "VTS_01_2.VOB": b"",
    "x.param": b"hello",
    "x.bin": b"",
    "done/film.mp4.json": b"{}",
}
STARTED = (
    '{"kind":"batch_started","at_s":1,"run_id":"r","input":"in","output":"other","lanes":1,'
    '"options":{"source":"%s"},"jobs":[],"resumed":false}\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refusals")
    for name in ("in", "empty"):
        (folder / name).mkdir()
    source = folder / "in" / "tape.avi"
    make_clip(source, "-c:v", "ffv1", seconds=0.1, size="64x48")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "film.mp4").write_bytes(source.read_bytes())
    for name, said in (("old", "echo ffmpeg version 4.4.1 Copyright"), ("broken", "exit 3")):
        (folder / name).write_text(f"#!/bin/sh\n{said}\n")
        (folder / name).chmod(0o755)
    journal = folder / "other" / ".vhsbatch" / "journal"
    journal.mkdir(parents=True)
    (journal / "20250101T000000Z-host-1.jsonl").write_text(STARTED % source.parent.resolve())
    return folder


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(folder)
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(folder / ".home" / kind))
    with (folder / "file").open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield folder


@pytest.mark.parametrize(("typed", "exit_code", "line"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_one_line_says_why_and_how_to_mend_it(
    typed: str,
    exit_code: int,
    line: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = shlex.split(typed)
    while words[0].startswith(ENV_PREFIX):
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    before = sorted(place.rglob("*"))
    done = run(words)
    said = capfd.readouterr()
    assert re.search(".*".join(map(re.escape, line.split(" … "))), said.err), said.err
    assert said.err.startswith("vhs-upscale: ")
    assert (done, said.out, said.err.count("\n")) == (exit_code, "", 1)
    left = [path for path in place.rglob("*") if path not in before and ".home" not in path.parts]
    # A folder for results may have been made, but nothing in it.
    assert not [path for path in left if path.is_file()]


def test_an_address_of_another_machine_is_none_to_listen_at(tmp_path: Path) -> None:
    # In a process of its own, since Dask leaves a socket open.
    refused = program.run("scheduler", "tcp://203.0.113.9:1", "--insecure", cwd=tmp_path)
    assert refused.returncode == 3
    fix = "(take another port, or an address of this machine)"
    expected = f"vhs-upscale: cannot listen at tcp://203.0.113.9:1: Cannot assign requested address {fix}\n"
    assert refused.stderr == expected
