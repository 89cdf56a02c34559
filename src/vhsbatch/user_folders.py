"""Where the platform keeps what belongs to a user; a user need not have a home."""

import os
from pathlib import Path
from typing import Literal

import platformdirs

# Nothing is in it, and nothing can be put there.
NOWHERE = Path(os.devnull) / "vhsbatch"


def user_folder(kind: Literal["config", "cache", "data", "log"]) -> Path:
    """The user's folder for files of a kind, which need not exist.

    It is one in which nothing can be where the user has no home: `HOME` is not set, and the system does
    not know the user, as in a container with another user's number.
    """
    folder_of = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
        "log": platformdirs.user_log_path,
    }[kind]
    try:
        folder = folder_of("vhsbatch", appauthor=False)
    except (RuntimeError, KeyError):
        return NOWHERE
    # A home that is unknown stays a tilde, which would be a folder in the current one.
    return folder if folder.is_absolute() else NOWHERE
