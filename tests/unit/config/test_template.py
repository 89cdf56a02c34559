"""The configuration file that explains itself."""

import tomllib
from pathlib import Path

from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings
from vhsbatch.config.template import template


def test_every_setting_is_explained_and_what_is_chosen_holds(tmp_path: Path) -> None:
    text = template({"nice": 19, "notify": ["desktop"], "engine": "ffmpeg"})
    assert tomllib.loads(text) == {"nice": 19, "notify": ["desktop"], "engine": "ffmpeg"}
    for name in Settings.model_fields:
        assert any(
            line.removeprefix("# ").startswith((f"{name} = ", f"[{name}.", f"[[{name}]]"))
            for line in text.splitlines()
        )
    assert max(map(len, text.splitlines())) <= 110


def test_every_example_is_allowed(tmp_path: Path) -> None:
    lines = template({}).splitlines()
    values = [
        line.removeprefix("# ")
        for line in lines
        if line.startswith("# ") and (" = " in line or line.startswith("# ["))
    ]
    file = tmp_path / "vhsbatch.toml"
    file.write_text("\n".join(values))
    settings = load_settings({}, cwd=tmp_path, environ={}, user_folder=tmp_path / "own")
    assert settings.gpus == (0, 1)
    assert settings.notify == ("desktop",)
    assert [str(folder) for folder in settings.watch] == ["/srv/family/in into /srv/family/out"]
    assert settings.files == {"tape_07*": {"preset": "vhs_heavy"}}
