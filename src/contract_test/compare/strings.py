"""Strings: lengths, patterns and formats, each wanted or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product

from contract_test.compare import format_assertion, nodes, regexes
from contract_test.compare.automata import Automaton, Words, automaton, no_deadline
from contract_test.compare.nodes import Node
from contract_test.compare.search_result import EMPTY, UNKNOWN, Found

_STRANGE = ("", " ", "\n", "not a format!", "%", "\\", "(", "::", "{", "~", "-1", "é", "\x00")
_SPARE = 24
_MAX_FOUND = 2048
MAX_LENGTH = 2**20
"""Longer texts are not built. Where only these break, nothing is found and nothing is proved."""
_LONG = 2**12
_FOUND: dict[tuple[object, ...], tuple[list[str], bool]] = {}
"""Searches that were made, in any comparison."""


def solve(facts: dict[Node, bool], want: int, in_time: Callable[[], None] = no_deadline) -> Found:
    """Return strings that satisfy every fact. `in_time` raises an exception after the deadline."""
    low, high = 0, None
    patterns: dict[bool, list[str]] = {True: [], False: []}
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for fact, wanted in facts.items():
        match fact:
            case nodes.MinLength(length):
                if wanted:
                    low = max(low, length)
                else:
                    high = length - 1 if high is None else min(high, length - 1)
            case nodes.MaxLength(length):
                if wanted:
                    high = length if high is None else min(high, length)
                else:
                    low = max(low, length + 1)
            case nodes.Pattern(regex):
                patterns[wanted].append(regex)
            case nodes.Format(name):
                named[wanted].add(name)
    limits = [format_assertion.MAX_LENGTH[name] for name in named[True] & format_assertion.MAX_LENGTH.keys()]
    if limits:
        high = min([*limits, *([] if high is None else [high])])
    if (high is not None and low > high) or any(
        (have, lack) in format_assertion.WIDER for have in named[True] for lack in named[False]
    ):
        return EMPTY
    if low > MAX_LENGTH:
        return UNKNOWN
    shapes = [format_assertion.SHAPES[name] for name in sorted(named[True]) if name in format_assertion.SHAPES]
    certain = [format_assertion.CERTAIN[name] for name in sorted(named[False]) if name in format_assertion.CERTAIN]
    extra = [text for name in sorted(named[True]) for text in format_assertion.examples(name, low, high)]
    if named[False]:
        extra += _STRANGE
        extra += [text for name in format_assertion.EXAMPLES for text in format_assertion.EXAMPLES[name]]
        extra += ["(" + "a" * max(low - 1, 0), " " + "a" * max(low - 1, 0)]
    plain = [format_assertion.PLAIN[name] for name in sorted(named[True]) if name in format_assertion.PLAIN]
    if plain and (patterns[True] or patterns[False]):
        extra += _words(
            tuple(sorted([*patterns[True], *plain])), tuple(sorted(patterns[False])), low, high, want, in_time
        )[0]
    spare = _SPARE if named[True] or named[False] else 0
    wanted_patterns, unwanted = (
        tuple(sorted(patterns[True]) + shapes),
        tuple(sorted(patterns[False]) + certain),
    )
    if wanted_patterns or unwanted:
        words, complete = _words(wanted_patterns, unwanted, low, high, want + spare, in_time)
        if any(map(_ends_a_line, words)):  # validators differ in whether "$" stands before it, too
            others, _ = _words(wanted_patterns, (*unwanted, "\\n$"), low, high, want + spare, in_time)
            words = [*others, *words]
        return Found([*extra, *words] if words or not complete else [], complete=complete)
    if high == 0:
        return Found([""], complete=True)
    return Found([*extra, *islice(_any_words(low, high), want + 1)], complete=False)


def _ends_a_line(word: str) -> bool:
    return word.endswith("\n")


def _any_words(low: int, high: int | None) -> Iterator[str]:
    """Words of some length, plain ones first."""
    for length in range(low, low + 3 if high is None else min(high, low + 2) + 1):
        for letters in product("ab0-_zA" if length < _LONG else "ab", repeat=min(length, 3)):
            yield "".join(letters) + "a" * (length - len(letters))


def _words(
    positive: tuple[str, ...],
    negative: tuple[str, ...],
    low: int,
    high: int | None,
    want: int,
    in_time: Callable[[], None],
) -> tuple[list[str], bool]:
    words, complete = _search(positive, negative, low, high, want, in_time, strict_dot=False)
    if complete and any(map(regexes.has_dot, (*positive, *negative))):
        # ECMA-262 and the validators differ in ".": what is claimed must hold for both
        others, also_complete = _search(positive, negative, low, high, want, in_time, strict_dot=True)
        complete = also_complete and set(others) <= set(words)
    return words, complete


def _search(
    positive: tuple[str, ...],
    negative: tuple[str, ...],
    low: int,
    high: int | None,
    want: int,
    in_time: Callable[[], None] = no_deadline,
    *,
    strict_dot: bool,
) -> tuple[list[str], bool]:
    key = (positive, negative, low, high, want, strict_dot)
    if key not in _FOUND:
        if len(_FOUND) >= _MAX_FOUND:
            _FOUND.clear()
        _FOUND[key] = _words_of(positive, negative, strict_dot=strict_dot).find(low, high, want, in_time)
    return _FOUND[key]


def _words_of(positive: tuple[str, ...], negative: tuple[str, ...], *, strict_dot: bool) -> Words:
    automata: dict[bool, list[Automaton]] = {True: [], False: []}
    for regex, wanted in [*((regex, True) for regex in positive), *((regex, False) for regex in negative)]:
        try:
            automata[wanted].append(automaton(regex, strict_dot=strict_dot))
        except (regexes.UnsupportedRegexError, RecursionError):
            continue  # without it there are more words, not fewer: an empty answer still holds
    return Words(automata[True], automata[False])
