"""Numbers: an interval, multiples of some numbers, and of none of some others. Everything is exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import count, islice
from math import ceil, floor, lcm
from typing import Any

from contract_test.compare import nodes
from contract_test.compare.nodes import Node
from contract_test.compare.search_result import EMPTY, Found
from contract_test.compare.values import plain

_MAX_LISTED = 4000


class _Range:
    """An interval of the number line; an end is (bound, exclusive), or None where there is none."""

    def __init__(self) -> None:
        self.low: tuple[Fraction, bool] | None = None
        self.high: tuple[Fraction, bool] | None = None

    def from_below(self, bound: Fraction, *, exclusive: bool) -> None:
        if self.low is None or (bound, exclusive) > self.low:
            self.low = (bound, exclusive)

    def from_above(self, bound: Fraction, *, exclusive: bool) -> None:
        if self.high is None or (-bound, exclusive) > (-self.high[0], self.high[1]):
            self.high = (bound, exclusive)

    def holds(self, number: Fraction) -> bool:
        above = self.low is None or number > self.low[0] or (number == self.low[0] and not self.low[1])
        return above and (self.high is None or number < self.high[0] or (number == self.high[0] and not self.high[1]))


def solve(facts: dict[Node, bool], want: int) -> Found:
    """Return numbers that satisfy every fact."""
    within = _Range()
    divisors: list[Fraction] = []
    avoided: list[Fraction] = []
    may_be_written_as_float = False
    for fact, wanted in facts.items():
        match fact:
            case nodes.MinNumber(bound, exclusive):
                if wanted:
                    within.from_below(bound, exclusive=exclusive)
                else:
                    within.from_above(bound, exclusive=not exclusive)
            case nodes.MaxNumber(bound, exclusive):
                if wanted:
                    within.from_above(bound, exclusive=exclusive)
                else:
                    within.from_below(bound, exclusive=not exclusive)
            case nodes.MultipleOf(divisor):
                (divisors if wanted else avoided).append(divisor)
            case nodes.WrittenWithoutFraction():
                may_be_written_as_float = not wanted
    found = _multiples(within, _common(divisors), avoided, want) if divisors else _dense(within, avoided, want)
    values: list[Any] = [plain(number) for number in found.values]
    if may_be_written_as_float:
        return Found([float(value) for value in values if abs(value) < 2**53], complete=not values and found.complete)
    return Found(values, complete=found.complete)


def _common(divisors: Iterable[Fraction]) -> Fraction:
    """The smallest number that is a multiple of all."""
    common = Fraction(0)
    for divisor in divisors:
        common = divisor if not common else Fraction(
            lcm(common.numerator * divisor.denominator, divisor.numerator * common.denominator),
            common.denominator * divisor.denominator,
        )  # fmt: skip
    return common


def _multiples(within: _Range, step: Fraction, avoided: list[Fraction], want: int) -> Found:
    # k·step is a multiple of n exactly where k is one of step/n's denominator
    periods = [(step / number).denominator for number in avoided]
    if 1 in periods:
        return EMPTY
    first = None if within.low is None else _after(within.low, step)
    last = None if within.high is None else _before(within.high, step)
    finite = first is not None and last is not None
    if finite and first > last:  # type: ignore[operator]
        return EMPTY
    listed = islice(_ticks(first, last), _MAX_LISTED)
    kept = (tick * step for tick in listed if all(tick % period for period in periods))
    values = list(islice(kept, want + 3))
    all_seen = finite and last - first < _MAX_LISTED and len(values) < want + 3  # type: ignore[operator]
    return Found(values, complete=all_seen)


def _after(low: tuple[Fraction, bool], step: Fraction) -> int:
    tick = ceil(low[0] / step)
    return tick + 1 if low[1] and tick * step == low[0] else tick


def _before(high: tuple[Fraction, bool], step: Fraction) -> int:
    tick = floor(high[0] / step)
    return tick - 1 if high[1] and tick * step == high[0] else tick


def _ticks(first: int | None, last: int | None) -> Iterator[int]:
    """Whole numbers from the end that is nearest to zero."""
    if first is not None and (last is None or abs(first) <= abs(last)):
        yield from range(first, last + 1) if last is not None else count(first)
    elif last is not None:
        yield from range(last, first - 1, -1) if first is not None else count(last, -1)
    else:
        yield 0
        for tick in count(1):
            yield tick
            yield -tick


def _dense(within: _Range, avoided: list[Fraction], want: int) -> Found:
    low, high = within.low, within.high
    if low is not None and high is not None and low[0] >= high[0]:
        if low[0] > high[0] or low[1] or high[1]:
            return EMPTY
        return Found([low[0]] if _is_no_multiple(low[0], avoided) else [], complete=True)
    kept = (
        number for number in _guesses(low, high, avoided) if within.holds(number) and _is_no_multiple(number, avoided)
    )
    return Found(list(islice(kept, want + 3)), complete=False)


def _is_no_multiple(number: Fraction, avoided: Iterable[Fraction]) -> bool:
    return all((number / other).denominator != 1 for other in avoided)


def _guesses(
    low: tuple[Fraction, bool] | None, high: tuple[Fraction, bool] | None, avoided: list[Fraction]
) -> Iterator[Fraction]:
    """Numbers in and around an interval: its ends, whole numbers beside them, then finer and finer steps."""
    ends = [end[0] for end in (low, high) if end is not None] or [Fraction(0)]
    for distance in (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(2), Fraction(10)):
        for end in ends:
            yield end + distance
            yield end - distance
    if avoided:
        step = min(avoided)
        for part in (Fraction(1, 2), Fraction(1, 10), Fraction(3, 2), Fraction(1, 4)):
            for end in (*ends, Fraction(0)):
                yield end + step * part
                yield end - step * part
    for end in ends:
        for whole in (floor(end), ceil(end)):
            yield from (Fraction(whole), Fraction(whole + 1), Fraction(whole - 1))
    if low is not None and high is not None:
        width = high[0] - low[0]
        for parts in (2, 10, 100, 1000):
            yield from (low[0] + width * Fraction(part, parts) for part in range(1, parts))
        return
    away = -1 if low is None and high is not None else 1
    for steps in range(1, _MAX_LISTED):
        yield ends[0] + away * Fraction(steps)
        yield ends[0] + away * Fraction(steps, 10)
        yield ends[0] + away * Fraction(steps, 1000)
