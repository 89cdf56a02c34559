"""What travels between machines that share no folder: which files, and their blocks."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vhsbatch.engines.realesrgan import numbered
from vhsbatch.model.plan import JobPlan

# Small enough to waste little when FFmpeg seeks, large enough to be worth a round trip.
BLOCK_BYTES = 2**20
SOURCE = "source"


def files_of(plan: JobPlan) -> dict[str, Path]:
    """The files that a segment is made from, with the names by which a machine asks for them. Pure."""
    files = {SOURCE: plan.job.files[0]}
    if plan.preset.colour.lut is not None:
        files["lut"] = plan.preset.colour.lut
    if plan.nnedi_weights is not None:
        files["nnedi"] = plan.nnedi_weights
    if plan.faces is not None:
        files |= {"face_param": plan.faces.param, "face_weights": plan.faces.weights}
    if plan.upscaling is not None:
        for number, model in enumerate(plan.upscaling.models, 1):
            files |= {numbered("param", number): model.param, numbered("weights", number): model.weights}
    return files


def is_source(path: Path, size_bytes: int, modified_ns: int) -> bool:
    """Whether `path` is the file that was probed on another machine."""
    try:
        status = path.stat()
    except OSError:
        return False
    # A file system may keep times less exactly than the head's does.
    same_time = abs(status.st_mtime_ns - modified_ns) < 2 * 10**9
    return status.st_size == size_bytes and same_time


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file, with what proves that it is that part.

    Attributes:
        data: its bytes.
        sha256: their digest where they were read first.
    """

    data: bytes
    sha256: str

    @property
    def is_whole(self) -> bool:
        """Whether these are still the bytes that were read."""
        return digest(self.data) == self.sha256


def digest(data: bytes) -> str:
    """What proves a block."""
    return hashlib.sha256(data).hexdigest()


def proven_block(path: Path, number: int) -> Block:
    """A block of a file that is sent away."""
    data = read_block(path, number)
    return Block(data, digest(data))


def block_bytes(number: int, size_bytes: int) -> int:
    """How long a block of a file of `size_bytes` is."""
    return max(0, min(BLOCK_BYTES, size_bytes - number * BLOCK_BYTES))


def read_block(path: Path, number: int) -> bytes:
    """A block of a file, counted from 0; the last one is shorter, empty if there is none."""
    with path.open("rb") as file:
        file.seek(number * BLOCK_BYTES)
        return file.read(BLOCK_BYTES)


def write_block(path: Path, number: int, block: bytes) -> None:
    """Put a block in its place in a file, which only its owner can read; what is not written is a hole."""
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        file.seek(number * BLOCK_BYTES)
        file.write(block)
