"""Where the weights of nnedi are looked for."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from vhsbatch.cli.options import ResultOptions
from vhsbatch.config.preset_schema import DeinterlaceMethod
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg import nnedi
from vhsbatch.ffmpeg.nnedi import find_weights


def weights(path: Path, size_bytes: int = 13_574_928) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def test_the_setting_wins(tmp_path: Path) -> None:
    assert find_weights(weights(tmp_path / "mine.bin")) == tmp_path / "mine.bin"


def test_a_setting_that_is_wrong_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"is not at .*mine\.bin"):
        find_weights(tmp_path / "mine.bin")
    with pytest.raises(ToolError, match="is not the file of nnedi's weights: it has 5 bytes"):
        find_weights(weights(tmp_path / "mine.bin", 5))


def test_the_first_place_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tmp_path / name / nnedi.FILE_NAME for name in ("a", "b", "c")]
    monkeypatch.setattr(nnedi, "_usual_places", lambda: places)
    with pytest.raises(ToolError, match=r"is in none of .*/a, .*/b, .*/c") as raised:
        find_weights(None)
    assert "vapoursynth-znedi3" in (raised.value.fix or "")
    weights(places[1]), weights(places[2])
    assert find_weights(None) == places[1]


def test_every_method_can_be_typed() -> None:
    (typed, _) = get_args(get_type_hints(ResultOptions)["deinterlace"])
    assert get_args(typed) == get_args(DeinterlaceMethod)
