import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

import program

# Shells have what they start in the background ignore these, and so would every program under test.
for ignored in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)

# Tests start the program by the hundred: without bytecode, each would compile all of its sources again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The machines that run these tests are shared: how long an example takes says nothing.
settings.register_profile("vhsbatch", deadline=None, max_examples=60)
settings.load_profile("vhsbatch")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    # What fixtures of a whole module have started lives on.
    before = program.count_started()
    yield
    program.end_later_than(before)
