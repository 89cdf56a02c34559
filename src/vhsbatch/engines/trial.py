"""Trying a user's model in a process of its own, since a damaged or hostile one may crash ncnn."""

import json
import sys
from typing import Any

from vhsbatch.process.spawn import run

_TIMEOUT_S = 300


class TrialFailedError(Exception):
    """What is wrong with a model, in words that go on after its name."""


async def trial(module: str, *words: str, tried_on: str) -> Any:
    """What a trial program prints as JSON on its last line.

    Args:
        module: the program.
        words: its command line.
        tried_on: what it tries the model on.

    Raises:
        TrialFailedError: it did not finish, crashed, or says what is wrong.
    """
    try:
        finished = await run((sys.executable, "-m", module, *words), timeout_s=_TIMEOUT_S)
    except TimeoutError as error:
        raise TrialFailedError(f"it did not finish {tried_on} within {_TIMEOUT_S} s") from error
    if finished.exit_code < 0:
        raise TrialFailedError(f"ncnn crashes with it ({finished.last_words})")
    if finished.exit_code > 0:
        raise TrialFailedError(finished.last_words)
    # Libraries may have printed before it.
    last = finished.stdout.decode(errors="replace").strip().rpartition("\n")[2]
    try:
        return json.loads(last)
    except ValueError as error:
        raise TrialFailedError(finished.last_words) from error
