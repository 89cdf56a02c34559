"""FFmpeg's filter graphs: the one module that knows ffmpeg-python, which has no types."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import ffmpeg

from vhsbatch.ffmpeg.formats import file_url

OUTPUT_LABEL = "[out]"

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Node:
    """What comes out of a filter, or of an input, and goes into the next."""

    _stream: Any

    def filter(self, name: str, /, *arguments: Value, **options: Value) -> Self:
        """What comes out of the filter `name`."""
        return type(self)(self._stream.filter(name, *arguments, **options))

    def split(self, count: int) -> list[Self]:
        """The same frames, `count` times."""
        outputs = self._stream.filter_multi_output("split")
        return [type(self)(outputs[number]) for number in range(count)]


def read(name: str, stream: str) -> Node:
    """Stream number `stream` of an input; what `name` stands for is left to the command line."""
    return Node(ffmpeg.input(name)[stream])


def read_file(path: Path, **options: Value) -> Node:
    """The video of one of our own files."""
    return Node(ffmpeg.input(file_url(path), **options).video)


def merge(nodes: Sequence[Node], name: str, /, *arguments: Value, **options: Value) -> Node:
    """What comes out of a filter with several inputs."""
    return Node(ffmpeg.filter([node._stream for node in nodes], name, *arguments, **options))  # noqa: SLF001


def ratio(value: Fraction) -> str:
    """A fraction in FFmpeg's notation."""
    return f"{value.numerator}/{value.denominator}"


def any_of(terms: Sequence[str]) -> str:
    """A sum that FFmpeg reads however many terms it has: of a plain one it takes no more than 100.

    >>> any_of(["a", "b", "c"])
    '(a+(b+c))'
    """
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({any_of(terms[:half])}+{any_of(terms[half:])})"


def compiled(node: Node) -> str:
    """FFmpeg's notation of the graph that ends in `node`; its output is called `OUTPUT_LABEL`."""
    arguments: list[str] = ffmpeg.get_args(ffmpeg.output(node._stream, "out"))  # noqa: SLF001
    graph = arguments[arguments.index("-filter_complex") + 1]
    label = arguments[arguments.index("-map") + 1]
    return graph.removesuffix(label) + OUTPUT_LABEL


def write_file(node: Node, path: Path, **options: Value) -> tuple[str, ...]:
    """FFmpeg's arguments for a graph that reads files and writes `path`."""
    output = ffmpeg.output(node._stream, file_url(path), **options)  # noqa: SLF001
    return tuple(ffmpeg.get_args(output.overwrite_output()))
