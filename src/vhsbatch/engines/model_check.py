"""Whether a user's model can be used: it is tried on a small picture, once for each version of its files."""

import sys

from anyio import to_thread

from vhsbatch.cache import Cache
from vhsbatch.engines.models import ModelFiles, digest
from vhsbatch.engines.tuning import versions
from vhsbatch.errors import UsageError
from vhsbatch.process.spawn import run

# Columns and lines of the picture: some blocks of the frame check, and little work for a large model. The
# edges differ, and are no multiples of what models align to.
TRIAL_SIZE = (34, 26)

_TIMEOUT_S = 300
_KIND = "trial of a model"
# Raised when the trial finds out more or something else.
_VERSION = 1

# What has passed in this process, where no cache keeps it.
_passed: set[tuple[str | int, ...]] = set()


async def expect_sane(files: ModelFiles, cache: Cache | None) -> None:
    """Refuse a model that makes nonsense, before a video is made with it.

    Args:
        files: the model.
        cache: keeps what was found out; None without a cache.

    Raises:
        UsageError: it cannot be loaded, crashes, or makes something else of a picture.
    """
    digests = [await to_thread.run_sync(digest, file) for file in (files.param, files.weights)]
    key: tuple[str | int, ...] = (_KIND, _VERSION, *digests, versions())
    if key in _passed:
        return
    known: object = None if cache is None else await to_thread.run_sync(lambda: cache.recall(*key))
    if known is not True:
        await tried(files)
    _passed.add(key)
    if cache is not None and known is not True:
        await to_thread.run_sync(lambda: cache.keep(True, *key))


async def tried(files: ModelFiles) -> float:
    """Try a model on a small picture; how many seconds that took.

    Raises:
        UsageError: it cannot be loaded, crashes, or makes something else of a picture.
    """
    command = (
        *(sys.executable, "-m", "vhsbatch.engines.model_trial"),
        *(str(files.param), str(files.weights), str(files.scale)),
    )
    try:
        finished = await run(command, timeout_s=_TIMEOUT_S)
    except TimeoutError:
        problem = f"it did not finish a small picture within {_TIMEOUT_S} s"
    else:
        if finished.exit_code == 0:
            return float(finished.stdout.split()[-1])
        crashed = finished.exit_code < 0
        problem = f"ncnn crashes with it ({finished.last_words})" if crashed else finished.last_words
    raise UsageError(
        f"the model {files.name} cannot be used: {problem}",
        fix="get the file again, or use another model; it must take and give RGB from 0 to 1",
    )
