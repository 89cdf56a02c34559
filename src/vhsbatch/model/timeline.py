"""Laying the frames of a source on a constant grid.

FFmpeg does the same with ``setpts=round(PTS-T0/TB),settb=1/RATE``: a frame shown at `t` lands on
position ``round((t - t0) * rate)``, half up. Everything downstream counts those positions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low

from vhsbatch.model.media import Gap

STANDARD_RATES = (
    *(Fraction(rate) for rate in (5, 10, 12)),
    Fraction(25, 2),
    Fraction(15000, 1001),
    *(Fraction(rate) for rate in (15, 20)),
    Fraction(24000, 1001),
    *(Fraction(rate) for rate in (24, 25)),
    Fraction(30000, 1001),
    *(Fraction(rate) for rate in (30, 48, 50)),
    Fraction(60000, 1001),
    *(Fraction(rate) for rate in (60, 100)),
    Fraction(120000, 1001),
    Fraction(120),
)
FALLBACK_RATE = Fraction(30000, 1001)

# How far the rate seen in the deltas may be off from the true one: clocks tick in milliseconds.
_NEARBY = Fraction(7, 100)
# This close to a standard rate, a different rate is not credible.
_ALMOST_STANDARD = Fraction(1, 100)
# A grid with gaps is one that its frames miss by no more than this part of a frame on average.
_ON_GRID = Fraction(1, 10)
# Rounding to ticks is never taken for more than this part of a frame.
_ROUNDING = Fraction(1, 8)
# Of MPEG's clock, in which all times of frames differ enough that keep their own.
TICKS_PER_S = 90_000
# An MP4's time scale is below 2**31, and field-rate output doubles the rate.
_MAX_NUMERATOR = 2**30
# A tape of hours with a frame lost every other second has fewer; a source with more has a variable rate.
_MOST_GAPS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A constant grid and how a source's frames lie on it.

    Attributes:
        rate: grid positions per second.
        frames: number of grid positions: that of the last frame, plus one.
        repeated_frames: positions without a frame.
        dropped_frames: frames that share a position with an earlier one.
        gaps: where positions have no frame; where there are very many, those of more than a
            second alone.
    """

    rate: Fraction
    frames: int
    repeated_frames: int
    dropped_frames: int
    gaps: tuple[Gap, ...] = ()

    @property
    def constant_rate(self) -> bool:
        """Whether frames and positions correspond one to one."""
        return self.repeated_frames == 0 and self.dropped_frames == 0


def lay_on_grid(
    ticks: Sequence[int],
    time_base: Fraction,
    stated_rates: Iterable[Fraction] = (),
    *,
    clock: Sequence[int] | None = None,
) -> Timeline:
    """Decide the grid of a source.

    Args:
        ticks: when each frame is shown, ascending, at least one.
        time_base: seconds per tick.
        stated_rates: what the container says about the rate, the most trustworthy first; they decide
            only where the timestamps leave a choice.
        clock: what tells the rate, where that is not `ticks`: too few of the frames may be left.
    """
    rate = _choose_rate(clock or ticks, time_base, tuple(stated_rates))
    positions = _positions(ticks, rate * time_base)
    distinct = len(set(positions))
    frames = positions[-1] + 1
    gaps = tuple(Gap(start=a + 1, stop=b) for a, b in pairwise(positions) if b - a > 1)
    if len(gaps) > _MOST_GAPS:
        gaps = tuple(gap for gap in gaps if gap.frames > rate)
    return Timeline(
        rate=rate,
        frames=frames,
        repeated_frames=frames - distinct,
        dropped_frames=len(ticks) - distinct,
        gaps=gaps,
    )


def positions_of(ticks: Sequence[int], time_base: Fraction, rate: Fraction) -> list[int]:
    """On which position of a grid of `rate` each frame lies."""
    return _positions(ticks, rate * time_base)


def whole_frames(ticks: Iterable[int], frame_ticks: int) -> list[int]:
    """Leave out the second fields of a stream whose packets are fields.

    Args:
        ticks: when each packet is shown, ascending.
        frame_ticks: the distance of decoded frames.

    Returns:
        The ticks of whole frames: what comes less than three quarters of a frame after one belongs to it.
    """
    frames: list[int] = []
    for tick in ticks:
        if not frames or 4 * (tick - frames[-1]) >= 3 * frame_ticks:
            frames.append(tick)
    return frames


def nearest_standard_rate(rate: Fraction) -> Fraction:
    """The standard rate that is the least different in proportion."""
    return min(STANDARD_RATES, key=lambda standard: max(standard / rate, rate / standard))


def _choose_rate(ticks: Sequence[int], time_base: Fraction, stated: tuple[Fraction, ...]) -> Fraction:
    usual = _usual_delta(ticks)
    if usual is None:
        return next((rate for rate in map(_snap, stated) if 1 <= rate <= 240), FALLBACK_RATE)
    mean = (len(ticks) - 1) / ((ticks[-1] - ticks[0]) * time_base)
    seen = 1 / (usual * time_base)
    return (
        _standard_without_gaps(ticks, time_base, _standard_rates_near(mean), stated)
        or _exact_constant(ticks, time_base, mean)
        or _grid_with_gaps(ticks, time_base, seen)
        or nearest_standard_rate(seen)
    )


def _standard_rates_near(rate: Fraction) -> list[Fraction]:
    return [standard for standard in STANDARD_RATES if abs(standard / rate - 1) <= _NEARBY]


def _usual_delta(ticks: Sequence[int]) -> Fraction | None:
    """The usual distance of two frames in ticks, None when there are no two.

    Where deltas differ by the rounding of a clock only, their mean is nearer to the truth than their
    median; gaps are no part of it.
    """
    deltas = [b - a for a, b in pairwise(ticks) if b > a]
    if not deltas:
        return None
    middle = median_low(deltas)
    usual = [delta for delta in deltas if middle <= 2 * delta <= 3 * middle]
    mean = Fraction(sum(usual), len(usual))
    return mean if abs(mean - middle) <= max(1, middle / 20) else Fraction(middle)


def _standard_without_gaps(
    ticks: Sequence[int], time_base: Fraction, candidates: list[Fraction], stated: tuple[Fraction, ...]
) -> Fraction | None:
    """The standard rate at which the n-th frame is less than half a frame from the n-th position."""
    misses = {rate: _largest_miss(ticks, rate * time_base) for rate in candidates}
    fitting = [rate for rate in candidates if misses[rate] < Fraction(1, 2)]
    if not fitting:
        return None
    # A miss of one tick is rounding: in a short clip it does not tell 30 from 29.97.
    exact = [rate for rate in fitting if misses[rate] <= rate * time_base]
    for rate in map(_snap, stated):
        if rate in exact:
            return rate
    return min(fitting, key=lambda rate: misses[rate])


def _exact_constant(ticks: Sequence[int], time_base: Fraction, mean: Fraction) -> Fraction | None:
    """The simplest rate at which frames miss their own positions by rounding alone, if there is one."""
    simple = (mean.limit_denominator(denominator) for denominator in (1, 2, 1001, 10_000))
    for rate in (*simple, _bounded(mean)):
        rounding = min(rate * time_base, _ROUNDING)
        if 0 < rate.numerator < _MAX_NUMERATOR and _largest_miss(ticks, rate * time_base) <= rounding:
            return rate
    return None


def _grid_with_gaps(ticks: Sequence[int], time_base: Fraction, seen: Fraction) -> Fraction | None:
    """The rate of a constant grid from which frames are missing."""
    candidates = _standard_rates_near(seen)
    if abs(nearest_standard_rate(seen) / seen - 1) > _ALMOST_STANDARD:
        candidates.append(_bounded(seen))
    misses = {rate: _mean_miss(ticks, rate * time_base) for rate in candidates}
    best = min(candidates, key=lambda rate: misses[rate])
    collides = any(a == b for a, b in pairwise(_positions(ticks, best * time_base)))
    return best if misses[best] <= _ON_GRID and not collides else None


def _positions(ticks: Sequence[int], per_tick: Fraction) -> list[int]:
    n, d, start = 2 * per_tick.numerator, 2 * per_tick.denominator, ticks[0]
    return [((tick - start) * n + d // 2) // d for tick in ticks]


def _largest_miss(ticks: Sequence[int], per_tick: Fraction) -> Fraction:
    """The most that an n-th frame is away from the n-th position, in frames."""
    n, d, start = per_tick.numerator, per_tick.denominator, ticks[0]
    return Fraction(max(abs((tick - start) * n - index * d) for index, tick in enumerate(ticks)), d)


def _mean_miss(ticks: Sequence[int], per_tick: Fraction) -> Fraction:
    """How far frames are away from their nearest positions on average, in frames."""
    n, d, start = per_tick.numerator, per_tick.denominator, ticks[0]
    remainders = ((tick - start) * n % d for tick in ticks)
    return Fraction(sum(min(rest, d - rest) for rest in remainders), d * len(ticks))


def _snap(rate: Fraction) -> Fraction:
    """`rate`, or the standard rate that it only misses by rounding."""
    if rate <= 0:
        return rate
    standard = nearest_standard_rate(rate)
    return standard if abs(standard / rate - 1) < Fraction(1, 10_000) else rate


def _bounded(rate: Fraction) -> Fraction:
    """`rate` as a fraction that every container can hold."""
    denominator = 1_000_000
    bounded = rate.limit_denominator(denominator)
    while bounded.numerator >= _MAX_NUMERATOR and denominator > 1:
        denominator //= 10
        bounded = rate.limit_denominator(denominator)
    return bounded
