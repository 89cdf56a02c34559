"""Files that others put beside a video or name in it: each fails its video, in one line, at once."""

import os
import shutil
import time
from pathlib import Path

import pytest

import program
from clips import make_clip
from vhsbatch.cli.program import run

NOT_A_FILE = "it is not a regular file"


def test_each_fails_its_own_video_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clip = tmp_path / "in" / "fine.avi"
    make_clip(clip, "-c:v", "ffv1", "-g", "1", "-an", seconds=0.4, size="64x48", scan="progressive")
    os.mkfifo(tmp_path / "pipe.cube")
    (tmp_path / "zero.cube").symlink_to("/dev/zero")
    (tmp_path / "passwd.cube").symlink_to("/etc/passwd")
    said = {
        'colour.lut = "/dev/zero"': "its name does not end in .cube",
        'colour.lut = "../zero.cube"': NOT_A_FILE,
        'colour.lut = "../pipe.cube"': NOT_A_FILE,
        'colour.lut = "../passwd.cube"': "is not a 3D LUT: ",
        'colour.lut = "../../../../../../etc/passwd"': "its name does not end in .cube",
        f"x = {'[' * 5000}{']' * 5000}": "too deep within others",
        f"{'.'.join('a' * 3000)} = 1": "too deep within others",
        f"segment_s = {'9' * 5000}": "a number of too many digits",
        "#" * 2**21: "it is larger than 1 MiB",
        f'preset = "{"x" * 9000}"': "there is no preset 'xxx",
    }
    expected = {}
    for number, (content, words) in enumerate(said.items()):
        video = tmp_path / "in" / f"tape{number}.avi"
        shutil.copy2(clip, video)
        video.with_name(f"{video.name}.toml").write_text(content)
        expected[f"tape{number}_240p.mp4"] = words
    for name in ("pipe", "zero", "folder", "gone"):
        shutil.copy2(clip, tmp_path / "in" / f"{name}.avi")
    os.mkfifo(tmp_path / "in" / "pipe.avi.toml")
    (tmp_path / "in" / "zero.avi.toml").symlink_to("/dev/zero")
    (tmp_path / "in" / "folder.avi.toml").mkdir()
    (tmp_path / "in" / "gone.avi.toml").symlink_to("nowhere")
    expected |= {"pipe_240p.mp4": NOT_A_FILE, "zero_240p.mp4": NOT_A_FILE}
    expected |= {"folder_240p.mp4": "Is a directory", "gone_240p.mp4": "No such file"}

    done = program.run("batch", "in", "out", "-r", "240", "--engine", "ffmpeg", "--json", cwd=tmp_path)
    events = program.events(done.stdout)
    failed = {event["job_id"]: str(event["reason"]) for event in events if event["kind"] == "job_failed"}
    assert failed.keys() == expected.keys()
    for name, words in expected.items():
        assert words in failed[name]
        assert "\n" not in failed[name]
        assert len(failed[name]) < 400
    assert [event["job_id"] for event in events if event["kind"] == "job_published"] == ["fine_240p.mp4"]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("--config pipe.toml", "pipe.toml cannot be read: it is not a regular file"),
        ("--config /dev/zero", "/dev/zero cannot be read: it is not a regular file"),
        ("--config presets-deep.toml", "deep.toml has tables or lists too deep"),
        ("--config presets-chain.toml", "chain.toml: too many presets inherit from each other"),
        ("--config presets-lut.toml -p mine", "lut.cube is not a 3D LUT: it has no line LUT_3D_SIZE"),
        ("--config tables.toml", "tables.cube is not a 3D LUT: No such file or directory"),
        ("--model pipe.param", "pipe.param is not there"),
        ("--model words.param", "words.param is damaged: its layers make no sense"),
    ],
)
def test_what_a_run_is_given_is_refused_before_it(
    typed: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tape.avi").touch()
    for name in ("pipe.toml", "pipe.param"):
        os.mkfifo(tmp_path / name)
    chain = "".join(f'[p{number}]\ninherits = "p{number + 1}"\n' for number in range(3000))
    files = {
        "deep.toml": f"x = {'[' * 5000}{']' * 5000}",
        "chain.toml": f"{chain}[p3000]\n",
        "lut.toml": '[mine]\ninherits = "vhs"\ncolour.lut = "lut.cube"\n',
        "lut.cube": "hello\n",
        "tables.toml": '[files."*.avi"]\ncolour.lut = "tables.cube"\n',
        "words.param": "7767517\nConvolution c 1\nConvolution a x y z w 3=0\n",
        "words.bin": "",
        **{f"presets-{name}.toml": f'presets = ["{name}.toml"]\n' for name in ("deep", "chain", "lut")},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    begun_s = time.monotonic()
    code = run(["batch", "in", "out", "--no-tui", *typed.split()])
    error = capfd.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert line in error
    assert time.monotonic() - begun_s < program.PATIENCE_S


@pytest.mark.parametrize("home", [None, "", "relative", "/dev/null"])
def test_a_user_without_a_home_gets_no_traceback(
    home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def unknown(_number: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.chdir(tmp_path)
    for variable in list(os.environ):
        if variable == "HOME" or variable.startswith("XDG_"):
            monkeypatch.delenv(variable)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    codes = {
        words: run(words.split())
        for words in ("presets", "config", "verify .", "log .", "batch . out --dry-run")
    }
    assert codes == {"presets": 0, "config": 0, "verify .": 2, "log .": 2, "batch . out --dry-run": 2}
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "defect" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_defect_of_a_user_without_a_home_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from vhsbatch.crash_report import defect_in_a_line

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_log_path", fail)
    assert "its details cannot be kept: " in defect_in_a_line(ValueError("x"))
