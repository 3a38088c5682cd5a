"""Strings that match some patterns and not others: emptiness, and the shortest members.

Each pattern becomes a nondeterministic automaton (Thompson), and all of them are walked side by side over
characters that no pattern tells apart. Nothing is built ahead of need, and every walk has a limit; beyond
it the answer is "not complete".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from contract_test.compare import regexes
from contract_test.compare.charsets import EVERYTHING, LAST, CharSet, char_set, size
from contract_test.compare.regexes import Chars, Choice, Edge, Regex, Repeat, UnsupportedRegexError

_MAX_STATES = 6000
_MAX_STEPS = 30_000
_MAX_WORK = 600_000
_NICE = "aA0b1B-_ .x"

State = frozenset[int]
Product = tuple[State, ...]


class Automaton:
    """One pattern. States are numbers; an edge is (characters, target), (None, target), or an anchor."""

    def __init__(self, tree: Regex) -> None:
        self.free: list[list[int]] = []
        self.edges: list[list[tuple[CharSet, int]]] = []
        self.anchors: list[list[tuple[bool, int]]] = []
        start = self._state()
        inner, last = self._build(tree)
        self.accept = self._state()
        self.edges[start].append((EVERYTHING, start))
        self.edges[self.accept].append((EVERYTHING, self.accept))
        self.free[start].append(inner)
        self.free[last].append(self.accept)
        self._closures: dict[tuple[State, bool, bool], State] = {}
        self.start = self.closure(frozenset([start]), at_start=True, at_end=False)

    def _state(self) -> int:
        if len(self.free) >= _MAX_STATES:
            raise UnsupportedRegexError("a pattern too large to follow")
        self.free.append([])
        self.edges.append([])
        self.anchors.append([])
        return len(self.free) - 1

    def _build(self, tree: Regex) -> tuple[int, int]:
        first, last = self._state(), self._state()
        match tree:
            case Chars(chars):
                self.edges[first].append((chars, last))
            case Edge(start):
                self.anchors[first].append((start, last))
            case Choice(parts):
                for part in parts:
                    inner, end = self._build(part)
                    self.free[first].append(inner)
                    self.free[end].append(last)
            case Repeat(part, low, high):
                self._repeat(part, low, high, first, last)
            case regexes.Sequence(parts):
                at = first
                for part in parts:
                    inner, end = self._build(part)
                    self.free[at].append(inner)
                    at = end
                self.free[at].append(last)
        return first, last

    def _repeat(self, part: Regex, low: int, high: int | None, first: int, last: int) -> None:
        at = first
        for _ in range(low):
            inner, end = self._build(part)
            self.free[at].append(inner)
            at = end
        if high is None:
            inner, end = self._build(part)
            loop = self._state()
            self.free[at].append(loop)
            self.free[loop] += [inner, last]
            self.free[end].append(loop)
            return
        self.free[at].append(last)
        for _ in range(high - low):
            inner, end = self._build(part)
            self.free[at].append(inner)
            at = end
            self.free[at].append(last)

    def closure(self, states: State, *, at_start: bool, at_end: bool) -> State:
        """Return everything that is reached without reading a character."""
        key = (states, at_start, at_end)
        known = self._closures.get(key)
        if known is None:
            seen, todo = set(states), list(states)
            while todo:
                state = todo.pop()
                reached = self.free[state] + [
                    target for start, target in self.anchors[state] if (at_start if start else at_end)
                ]
                for target in reached:
                    if target not in seen:
                        seen.add(target)
                        todo.append(target)
            known = self._closures[key] = frozenset(seen)
        return known

    def step(self, states: State, code: int) -> State:
        """Read one character."""
        reached = frozenset(target for state in states for chars, target in self.edges[state] if _holds(chars, code))
        return self.closure(reached, at_start=False, at_end=False)

    def accepts_in(self, states: State, *, at_start: bool) -> bool:
        """Return whether the string may end here."""
        return self.accept in states or self.accept in self.closure(states, at_start=at_start, at_end=True)

    def matches(self, text: str) -> bool:
        """Return whether some part of the text matches, in time linear in its length."""
        states = self.start
        for char in text:
            if self.accept in states:
                return True
            states = self.step(states, ord(char))
        return self.accepts_in(states, at_start=not text)


def _holds(chars: CharSet, code: int) -> bool:
    at = bisect_right(chars, (code, 0x110000)) - 1
    return at >= 0 and chars[at][0] <= code <= chars[at][1]


@lru_cache(maxsize=1024)
def automaton(pattern: str, *, strict_dot: bool = False) -> Automaton:
    """Return the automaton of a pattern.

    Raises `UnsupportedRegexError` where it is outside the regular subset or too large.
    """
    return Automaton(regexes.parse(pattern, strict_dot=strict_dot))


def matches(pattern: str, text: str) -> bool | None:
    """Return whether some part of the text matches the pattern; None where that is not known."""
    try:
        return automaton(pattern).matches(text)
    except (UnsupportedRegexError, RecursionError):
        return None


def no_deadline() -> None:
    """Return at once: a search without a deadline."""


class Words:
    """The strings that match every `positive` automaton and no `negative` one."""

    def __init__(self, positive: Sequence[Automaton], negative: Sequence[Automaton]) -> None:
        self._parts = [(part, True) for part in positive] + [(part, False) for part in negative]
        self._classes = _classes([part for part, _ in self._parts])
        self._steps: dict[Product, list[tuple[CharSet, Product]]] = {}
        self._work = 0
        self._initial: Product = tuple(part.start for part, _ in self._parts)

    def _next(self, product: Product) -> list[tuple[CharSet, Product]]:
        known = self._steps.get(product)
        if known is None:
            merged: dict[Product, list[tuple[int, int]]] = {}
            self._work += len(self._classes) * sum(map(len, product))
            for chars in self._classes:
                code = chars[0][0]
                target = tuple(part.step(states, code) for (part, _), states in zip(self._parts, product, strict=True))
                if all(
                    (target_states if positive else part.accept not in target_states)
                    for (part, positive), target_states in zip(self._parts, target, strict=True)
                ):
                    merged.setdefault(target, []).extend(chars)
            known = self._steps[product] = [(char_set(runs), target) for target, runs in merged.items()]
        return known

    def _accepted(self, product: Product, *, at_start: bool) -> bool:
        return all(
            part.accepts_in(states, at_start=at_start) == positive
            for (part, positive), states in zip(self._parts, product, strict=True)
        )

    def _live(self, in_time: Callable[[], None]) -> tuple[set[Product], bool]:
        """The products from which some end is in reach, and whether all were seen within the limit."""
        before: dict[Product, list[Product]] = {self._initial: []}
        todo, ends, steps = [self._initial], [], 0
        while todo:
            in_time()
            product = todo.pop()
            if self._accepted(product, at_start=False):
                ends.append(product)
            for _, target in self._next(product):
                steps += 1
                if target not in before:
                    before[target] = []
                    todo.append(target)
                before[target].append(product)
            if steps > _MAX_STEPS or self._work > _MAX_WORK:
                return set(before), False
        live = set(ends)
        while ends:
            for source in before[ends.pop()]:
                if source not in live:
                    live.add(source)
                    ends.append(source)
        return live, True

    def find(
        self, low: int, high: int | None, want: int, in_time: Callable[[], None] = no_deadline
    ) -> tuple[list[str], bool]:
        """Return up to `want` words of `low` to `high` characters, shortest first, and whether these are all.

        `in_time` raises an exception after the deadline.
        """
        found: list[str] = []
        if low == 0 and self._accepted(self._initial, at_start=True):
            found.append("")
        live, complete = self._live(in_time)
        level: dict[Product, list[str]] = {self._initial: [""]}
        length = steps = 0
        cut = False
        while level and (high is None or length < high):
            in_time()
            length += 1
            after: dict[Product, list[str]] = {}
            for product, words in level.items():
                for chars, target in self._next(product):
                    if target in live:
                        room = want - len(after.get(target, ()))
                        cut = cut or room < len(words) * size(chars)
                        after.setdefault(target, []).extend(_extended(words, chars, room))
                        steps += 1
            for target, words in after.items():
                if length >= low and self._accepted(target, at_start=False):
                    found += words
            if len(found) > want or steps > _MAX_STEPS or self._work > 2 * _MAX_WORK:
                return found[:want], False
            level = after
        # a product keeps at least one word for each length: where nothing was found, nothing was cut away
        # either
        return found, complete and not (cut and found)


def _extended(words: list[str], chars: CharSet, room: int) -> Iterator[str]:
    for word in words:
        for char in _members(chars, room):
            if room <= 0:
                return
            room -= 1
            yield word + char


@lru_cache(maxsize=4096)
def _nice_members(chars: CharSet) -> list[str]:
    return [char for char in _NICE if _holds(chars, ord(char))]


def _members(chars: CharSet, limit: int) -> Iterator[str]:
    """Characters of a set, those that people like to read first."""
    nice = _nice_members(chars)
    yield from nice[:limit]
    left = limit - len(nice)
    for low, high in chars:
        for code in range(low, high + 1):
            if left <= 0:
                return
            if chr(code) not in nice:
                left -= 1
                yield chr(code)


def _classes(parts: Sequence[Automaton]) -> list[CharSet]:
    """Split all characters into classes that no automaton tells apart."""
    sets = {chars for part in parts for edges in part.edges for chars, _ in edges}
    starts = sorted(
        {0, 0xE000} | {cut for chars in sets for low, high in chars for cut in (low, high + 1) if cut <= LAST}
    )
    ordered = sorted(sets)
    groups: dict[tuple[bool, ...], list[tuple[int, int]]] = {}
    for low, after in zip(starts, [*starts[1:], 0x110000], strict=True):
        groups.setdefault(tuple(_holds(chars, low) for chars in ordered), []).append((low, after - 1))
    return [chars for chars in (char_set(runs) for runs in groups.values()) if chars]
