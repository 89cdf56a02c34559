"""How a program that reads several others at once finds what they write."""

import os
from typing import BinaryIO

# In its environment: the descriptors to read, in the order in which the programs were named.
FEEDS = "VHSBATCH_FEEDS"


def open_feeds() -> list[BinaryIO]:
    """The standard outputs of the programs that feed this one, in their order."""
    return [os.fdopen(int(number), "rb") for number in os.environ[FEEDS].split(",")]
