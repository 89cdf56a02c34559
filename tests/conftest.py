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

# The machines that run these tests are shared: how long an example takes says nothing. The same examples each
# time, so that a change is never blamed for what it has not done; HYPOTHESIS_PROFILE=explore takes others.
settings.register_profile("repeatable", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=600)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run every case of many that are of one kind")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where everything is run, leave out some of many cases of one kind; what is named is run whole."""
    if config.getoption("--all") or config.args_source is pytest.Config.ArgsSource.ARGS:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {item for of_one_kind in cases.values() for item in of_one_kind[1:-1]}
    left_out |= {item for item in items if item.get_closest_marker("exhaustive")}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    # What fixtures of a whole module have started lives on.
    before = program.count_started()
    yield
    program.end_later_than(before)
