"""Whether a user's model can be used, and what it is like: tried on small pictures, once for its files."""

from dataclasses import asdict, replace
from typing import Any

from anyio import to_thread

from vhsbatch.cache import Cache
from vhsbatch.engines.models import ModelFiles, Traits, digest
from vhsbatch.engines.trial import TrialFailedError, trial
from vhsbatch.engines.tuning import versions
from vhsbatch.errors import UsageError

# Columns and lines of the pictures: some blocks of the frame check, and little work for a large model. The
# edges differ, and are no multiples of what models align to.
TRIAL_SIZE = (34, 26)

_KIND = "trial of a model"
# Raised when the trial finds out more or something else.
_VERSION = 3


# What has passed in this process, where no cache keeps it.
_passed: dict[tuple[str | int, ...], Traits] = {}


async def expect_sane(files: ModelFiles, cache: Cache | None) -> ModelFiles:
    """Refuse a model that makes nonsense, before a video is made with it; the model with its traits.

    Args:
        files: the model.
        cache: keeps what was found out; None without a cache.

    Raises:
        UsageError: it cannot be loaded, crashes, or makes something else of a picture.
    """
    digests = [await to_thread.run_sync(digest, file) for file in (files.param, files.weights)]
    key: tuple[str | int, ...] = (_KIND, _VERSION, *digests, versions())
    if key in _passed:
        return replace(files, traits=_passed[key])
    known = None if cache is None else await to_thread.run_sync(lambda: cache.recall(*key))
    traits = _read(known)
    if traits is None:
        traits = await tried(files)
        if cache is not None:
            await to_thread.run_sync(lambda: cache.keep(asdict(traits), *key))
    _passed[key] = traits
    return replace(files, traits=traits)


def _read(told: Any) -> Traits | None:
    """What was found out as JSON has it; None for anything else."""
    try:
        return Traits(**told | {"colours": tuple(map(float, told["colours"]))})
    except (TypeError, ValueError, LookupError):
        return None


async def tried(files: ModelFiles) -> Traits:
    """Try a model on small pictures; what it is like.

    Raises:
        UsageError: it cannot be loaded, crashes, or makes something else of a picture.
    """
    try:
        said = await trial(
            "vhsbatch.engines.model_trial",
            *(str(files.param), str(files.weights), str(files.scale)),
            tried_on="small pictures",
        )
    except TrialFailedError as error:
        raise _unusable(files, str(error)) from error
    if (traits := _read(said)) is None:
        raise _unusable(files, "its trial says nothing that makes sense")
    return traits


def _unusable(files: ModelFiles, problem: str) -> UsageError:
    return UsageError(
        f"the model {files.name} cannot be used: {problem}",
        fix="get the file again, or use another model; it must take and give RGB from 0 to 1",
    )
