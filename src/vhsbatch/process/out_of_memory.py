"""Whether the kernel has killed processes because memory ran out."""

from pathlib import Path

_COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))


def out_of_memory_kills() -> int:
    """How many processes the kernel has killed so far; 0 where it does not tell."""
    return max((_count(path) for path in _COUNTERS), default=0)


def _count(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return 0
    return parse_kills(text)


def parse_kills(text: str) -> int:
    r"""The counter of killed processes in one of the kernel's files.

    >>> parse_kills("nr_free_pages 7\noom_kill 3\n")
    3
    """
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0
