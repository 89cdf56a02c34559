"""Models that restore faces: the user's files, and what is known of them before they run."""

from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from vhsbatch.cache import Cache
from vhsbatch.config.preset_schema import CONVERTED_ENDINGS, WEIGHTS_ENDINGS
from vhsbatch.engines.added_models import file_named
from vhsbatch.engines.conversion import converted
from vhsbatch.engines.models import digest, read_param
from vhsbatch.engines.param_file import UnsuitableModelError, read_blobs
from vhsbatch.engines.trial import TrialFailedError, trial
from vhsbatch.engines.tuning import versions
from vhsbatch.errors import UsageError

_DETECTOR = Path(__file__).with_name("face_detector")
DETECTOR_FILES = (_DETECTOR / "yunet.param", _DETECTOR / "yunet.bin")

_KIND = "trial of a face model"
_VERSION = 1
_FIX = (
    "give the weights of GFPGAN 1.2, 1.3 or 1.4 (.pth or .safetensors), or an .onnx or ncnn file of a model "
    "that makes one face of 512x512 pixels of another"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceModel:
    """A model that restores faces.

    Attributes:
        name: for people and records.
        file: the file that the user named.
        param: its ``.param`` file.
        weights: its ``.bin`` file.
        given: the blob that takes a face.
        made: the blob that gives one.
        origin: what it was converted from, empty where it was not.
    """

    name: str
    file: Path
    param: Path
    weights: Path
    given: str
    made: str
    origin: str = ""

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return self.origin.partition(",")[0] or "ncnn model"

    @property
    def files(self) -> list[Path]:
        """The files that the user has of it."""
        return [self.file] if self.origin else [self.param, self.weights]


def restores_faces(name: str) -> bool:
    """Whether a name or a file is that of weights of a known model for faces.

    Of ONNX files and those of ncnn nothing tells what they are for.
    """
    file = file_named(name)
    if file.suffix.lower() not in WEIGHTS_ENDINGS or not file.is_file():
        return False
    for faces in (False, True):
        try:
            converted(file.absolute(), faces=faces)
        except UnsuitableModelError:
            continue
        except OSError:
            break
        return faces
    return False


def face_model(name: str) -> FaceModel:
    """The model that an option or a preset names: one that was added, or a file.

    Raises:
        UsageError: a file is missing, or it is not a model that this program can run.
        ToolError: it cannot be converted for want of a folder.
    """
    file = file_named(name).absolute()
    try:
        if file.suffix.lower() in CONVERTED_ENDINGS:
            _expect_files(file)
            model = converted(file, faces=True)
            return _described(file, model.param, model.weights, str(model.origin))
        param = file if file.suffix == ".param" else file.with_name(f"{file.name}.param")
        _expect_files(param, param.with_suffix(".bin"))
        return _described(param, param, param.with_suffix(".bin"))
    except UnsuitableModelError as error:
        raise UsageError(f"the face model {file} {error}", fix=error.fix or _FIX) from error
    except OSError as error:
        raise UsageError(f"{error.filename or file} cannot be read: {error.strerror}") from error


def _expect_files(*files: Path) -> None:
    for file in files:
        if not file.is_file():
            raise UsageError(f"the face model {files[0].name} cannot be used: {file} is not there", fix=_FIX)


def _described(file: Path, param: Path, weights: Path, origin: str = "") -> FaceModel:
    given, made = read_blobs(read_param(param))
    return FaceModel(
        name=file.stem, file=file, param=param, weights=weights, given=given, made=made, origin=origin
    )


async def expect_face_model(model: FaceModel, cache: Cache | None) -> float:
    """Refuse a model that makes no face of a face, before a video is made with it.

    Returns:
        How many seconds a face took on the CPU.

    Raises:
        UsageError: it cannot be loaded, crashes, or makes something else.
    """
    digests = [await to_thread.run_sync(digest, file) for file in (model.param, model.weights)]
    key: tuple[str | int, ...] = (_KIND, _VERSION, *digests, versions())
    known = None if cache is None else await to_thread.run_sync(lambda: cache.recall(*key))
    if isinstance(known, float):
        return known
    took_s = await _tried(model)
    if cache is not None:
        await to_thread.run_sync(lambda: cache.keep(took_s, *key))
    return took_s


async def _tried(model: FaceModel) -> float:
    try:
        return float(
            await trial(
                "vhsbatch.engines.face_trial",
                *(str(model.param), str(model.weights), model.given, model.made),
                tried_on="a face",
            )
        )
    except TrialFailedError as error:
        raise UsageError(f"the face model {model.name} cannot be used: {error}", fix=_FIX) from error
