"""How many lanes a batch begins with, and between which bounds they may move. Pure."""

from dataclasses import dataclass

from vhsbatch.formatting import counted, size

# An FFmpeg that deinterlaces SD and encodes HD keeps about two cores busy (x264 runs four threads,
# the filters before it are mostly serial) and takes up to a gigabyte; its sound and its proof come on top.
_THREADS_PER_LANE = 2
_LANE_BYTES = 2 * 2**30
# Memory that is left to the rest of the machine.
_USABLE = 0.8
# One lane reads and writes while another one computes; more than four have never been seen to pay.
_LANES_PER_GPU, _MOST_LANES_PER_GPU = 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is to work with.

    Attributes:
        threads: CPU threads that all lanes share.
        memory_bytes: memory that may be used at all.
        gpus: real GPUs that the model uses; 0 where it runs on the CPU, or there is none.
        slots_per_gpu: segments that each of them may work on at a time, None where that is left to us.
        gpu_memory_bytes: memory of the smallest of them, None where that cannot be read.
        all_gpus: existing GPUs, used or not.
    """

    threads: int
    memory_bytes: int
    gpus: int = 0
    slots_per_gpu: int | None = None
    gpu_memory_bytes: int | None = None
    all_gpus: int = 0

    @property
    def usable_bytes(self) -> int:
        """Memory that lanes may take: the rest of the machine needs some too."""
        return int(self.memory_bytes * _USABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNeed:
    """What a lane takes.

    Attributes:
        memory_bytes: of memory.
        gpu_memory_bytes: of a GPU's memory, None where that is not known.
        measured: whether it was seen in earlier batches of this kind.
    """

    memory_bytes: int = _LANE_BYTES
    gpu_memory_bytes: int | None = None
    measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRange:
    """A number of lanes.

    Attributes:
        begin: how many there are at first.
        least: there are never fewer.
        most: there are never more.
        notes: why, where that was left to us.
    """

    begin: int
    least: int
    most: int
    notes: tuple[str, ...] = ()


def choose_lanes(
    parallel: int | str, machine: Machine, *, engine: str, videos: int, need: LaneNeed | None = None
) -> LaneRange:
    """How many lanes.

    Args:
        parallel: the setting: a number, ``auto`` or ``LEAST..MOST``.
        machine: what there is.
        engine: ``ffmpeg`` or ``realesrgan``.
        videos: how many there are to restore.
        need: what a lane takes.

    >>> machine = Machine(threads=16, memory_bytes=2**34)
    >>> choose_lanes(3, machine, engine="ffmpeg", videos=9)
    LaneRange(begin=3, least=3, most=3, notes=())
    >>> print(choose_lanes("auto", machine, engine="ffmpeg", videos=9).notes[0])
    6 workers: 16 CPU threads, 2 per worker, allow 8; 80% of 16.0 GiB of memory, 2.0 GiB per worker, allow 6
    """
    if isinstance(parallel, int):
        return LaneRange(begin=parallel, least=parallel, most=parallel)
    need = need or LaneNeed()
    by_memory = max(1, machine.usable_bytes // need.memory_bytes)
    begin, most, why = _by_processor(machine, need, engine)
    begin, most = max(1, min(begin, by_memory)), max(1, min(most, by_memory))
    if parallel != "auto":
        least, _, upper = str(parallel).partition("..")
        begin = min(max(begin, int(least)), int(upper))
        return LaneRange(
            begin=begin,
            least=int(least),
            most=int(upper),
            notes=(
                f"{counted(begin, 'worker')} at first, between {least} and {upper}",
                formula(machine, videos),
            ),
        )
    seen = " as measured" if need.measured else ""
    memory = (
        f"{_USABLE:.0%} of {size(machine.memory_bytes)} of memory, {size(need.memory_bytes)} per worker{seen}"
    )
    moves = (f"up to {most} workers while they speed the batch up, fewer under load",) if most > 1 else ()
    return LaneRange(
        begin=begin,
        least=1,
        most=most,
        notes=(
            f"{counted(begin, 'worker')}: {why}; {memory}, allow {by_memory}",
            *moves,
            formula(machine, videos),
        ),
    )


def _by_processor(machine: Machine, need: LaneNeed, engine: str) -> tuple[int, int, str]:
    """How many lanes keep what computes busy: at first, at most, and why."""
    if engine != "realesrgan":
        lanes = max(1, machine.threads // _THREADS_PER_LANE)
        why = f"{counted(machine.threads, 'CPU thread')}, {_THREADS_PER_LANE} per worker, allow {lanes}"
        return lanes, machine.threads, why
    if not machine.gpus:
        return 1, 1, "the model on the CPU uses all threads and allows 1"
    each = machine.slots_per_gpu or _LANES_PER_GPU
    lanes, most = machine.gpus * each, machine.gpus * (machine.slots_per_gpu or _MOST_LANES_PER_GPU)
    gpus = "1 GPU" if machine.gpus == 1 else f"{machine.gpus} GPUs"
    if machine.gpu_memory_bytes is None or need.gpu_memory_bytes is None:
        return lanes, most, f"{gpus}, {each} workers each, allow {lanes}"
    fit = machine.gpus * max(1, int(machine.gpu_memory_bytes * _USABLE // need.gpu_memory_bytes))
    lanes, most = min(lanes, fit), min(most, fit)
    memory = f"{size(machine.gpu_memory_bytes)} each and {size(need.gpu_memory_bytes)} per worker"
    return lanes, most, f"{gpus}, {each} workers each, with {memory}, allow {lanes}"


def formula(machine: Machine, videos: int) -> str:
    """What the usual rule of thumb gives, to compare: it asks for a GPU even where none is used.

    >>> formula(Machine(threads=2, memory_bytes=2**35, all_gpus=1), 9)
    'the rule of thumb min(GPUs, RAM_GB / 16, Videos / 2) gives min(1, 2.0, 4.5) = 1'
    """
    memory = machine.memory_bytes / 2**30 / 16
    result = int(min(machine.all_gpus, memory, videos / 2))
    return (
        "the rule of thumb min(GPUs, RAM_GB / 16, Videos / 2) gives "
        f"min({machine.all_gpus}, {memory:.1f}, {videos / 2:.1f}) = {result}"
    )
