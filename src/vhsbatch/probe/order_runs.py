"""Where the field order of a source changes, to the frame. Pure.

A capture card that loses a field, or doubles one, records the rest of the tape in the other order, until
it does so again. Each frame and the next one tell in which order their fields are (`decode_worker`); single
ones are wrong at cuts and where lines run through the picture. So the orders are found that explain the most
of them with the fewest changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from vhsbatch.model.media import FieldOrder, OrderRun
from vhsbatch.probe.order_protocol import BFF, PROGRESSIVE, STILL, TFF

_ORDERS = {TFF: FieldOrder.TFF, BFF: FieldOrder.BFF}
# What a change costs, in steps that say the other order: a run of five frames has four such steps.
_CHANGE = 1.75
# A run is certain if this share, and at least this number, of its telling steps show its order.
_AGREEING, _FEWEST_STEPS = 0.8, 3
# At the beginning and at the end there is one change only to be wrong about.
_FEWEST_AT_ENDS = 2
# Between the last step of one order and the first of the other lie those that tell neither: that of the
# change itself, and any number in which nothing moves, but no more unclear ones than this.
_UNCLEAR_AT_CHANGE = 2
# Orders that change more often than once in this number of frames are not real changes.
_FRAMES_PER_CHANGE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the steps of a whole source say.

    Attributes:
        tff: steps that say top field first.
        bff: bottom field first.
        progressive: steps between frames of one moment each.
        runs: of one order each, by numbers of frames, from the first frame on; none where no step tells.
        certain: whether each run, and where it begins, is beyond doubt.
    """

    tff: int
    bff: int
    progressive: int
    runs: tuple[OrderRun, ...]
    certain: bool

    @property
    def telling(self) -> int:
        """Steps that say anything."""
        return self.tff + self.bff + self.progressive


def find_orders(steps: str) -> Orders:
    """The runs of one field order.

    Args:
        steps: of each frame and the next one, a letter of `order_terms`.

    >>> [(run.first_frame, run.order.value) for run in find_orders("T" * 9 + "P" + "B" * 9).runs]
    [(0, 'tff'), (10, 'bff')]
    """
    spans = _without_doubtful_ends(_spans(steps), steps)
    runs: list[OrderRun] = []
    certain = len(spans) <= 1 + len(steps) / _FRAMES_PER_CHANGE
    end = 0  # after the last step of the run before that says its order
    for letter, first, stop in spans:
        if runs:
            certain &= not _unclear(steps, end, first)
        runs.append(OrderRun(first_frame=first if runs else 0, order=_ORDERS[letter]))
        own, told = steps[first:stop].count(letter), sum(step in _ORDERS for step in steps[first:stop])
        is_end = (letter, first, stop) in (spans[0], spans[-1])
        certain &= own >= max(_FEWEST_AT_ENDS if is_end else _FEWEST_STEPS, _AGREEING * told)
        end = stop
    return Orders(
        tff=steps.count(TFF),
        bff=steps.count(BFF),
        progressive=steps.count(PROGRESSIVE),
        runs=tuple(runs),
        certain=certain,
    )


def _spans(steps: str) -> list[tuple[str, int, int]]:
    """Runs as their letter, the first step that says so, and the step after the last one."""
    path = _likeliest(steps)
    spans = []
    position = 0
    for letter, group in groupby(path):
        length = len(list(group))
        part = steps[position : position + length]
        if letter in part:
            spans.append((letter, position + part.index(letter), position + part.rindex(letter) + 1))
        position += length
    return spans


def _without_doubtful_ends(spans: list[tuple[str, int, int]], steps: str) -> list[tuple[str, int, int]]:
    """Runs without the first and the last one where few steps tell it, and not from which frame on."""

    def is_doubtful(span: tuple[str, int, int], change: tuple[int, int]) -> bool:
        letter, first, stop = span
        return steps[first:stop].count(letter) < _FEWEST_STEPS and _unclear(steps, *change)

    if len(spans) > 1 and is_doubtful(spans[0], (spans[0][2], spans[1][1])):
        spans = spans[1:]
    if len(spans) > 1 and is_doubtful(spans[-1], (spans[-2][2], spans[-1][1])):
        spans = spans[:-1]
    return spans


def _unclear(steps: str, end: int, begin: int) -> bool:
    """Whether a change between two steps cannot be placed."""
    return sum(step != STILL for step in steps[end:begin]) > _UNCLEAR_AT_CHANGE


def _likeliest(steps: str) -> list[str]:
    """Of each step the order that explains all of them at the least cost (Viterbi's algorithm)."""
    cost = {TFF: 0.0, BFF: 0.0}
    came_from: list[dict[str, str]] = []
    for step in steps:
        other = {TFF: BFF, BFF: TFF}
        origin = {
            letter: letter if cost[letter] <= cost[other[letter]] + _CHANGE else other[letter]
            for letter in _ORDERS
        }
        cost = {
            letter: cost[origin[letter]]
            + (0.0 if origin[letter] == letter else _CHANGE)
            + (step == other[letter])
            for letter in _ORDERS
        }
        came_from.append(origin)
    letter = min(cost, key=lambda letter: cost[letter])
    path = []
    for origin in reversed(came_from):
        path.append(letter)
        letter = origin[letter]
    return path[::-1]


def on_grid(runs: Sequence[OrderRun], positions: Sequence[int]) -> tuple[OrderRun, ...]:
    """Runs by positions of the grid on which the frames lie, instead of by numbers of frames.

    Args:
        runs: by numbers of frames.
        positions: of each frame, ascending.
    """
    return tuple(
        OrderRun(first_frame=positions[run.first_frame] if run.first_frame else 0, order=run.order)
        for run in runs
    )
