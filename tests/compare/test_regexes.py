"""Patterns as automata: the same strings as an independent engine accepts, and inclusion between them."""

import itertools
import re

import pytest

from contract_test.compare.automata import automaton, matches
from contract_test.compare.regexes import UnsupportedRegexError
from contract_test.compare.strings import _search

PATTERNS = [
    "^a*$", "a|b", "^(ab|ba)+$", "^[^a]b?$", "a{2}", "^a{1,2}b{0,1}$", "^$", "", "^a|b$", "[ab][12]", r"\d", r"^\D$", r"^\w+$", r"^\W$",
    r"\s", r"^\S+$", r"^\x61\u0062$", "^.$", "(?:a|b)c", "^(a(b)?)+$", "a$|^b", "^a+?b*?$", "(?<name>a)b", r"^\.$", "^[a-b1-2]*$", "(^a)|(b$)",
]  # fmt: skip
TEXTS = ["".join(letters) for length in range(4) for letters in itertools.product("ab12. \n"[:7], repeat=length)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_what_another_engine_matches(pattern):
    python = re.compile(pattern.replace("$", r"\Z").replace("(?<", "(?P<"), re.ASCII)

    assert [text for text in TEXTS if matches(pattern, text)] == [text for text in TEXTS if python.search(text)]


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)b", r"\bword", "(?i)a", "a{3000}", "[[a]]"])
def test_what_is_not_regular_is_said_to_be_unknown(pattern):
    with pytest.raises(UnsupportedRegexError):
        automaton(pattern)


def test_all_words_are_found_where_there_are_few():
    words, complete = _search(("^(a|b){1,2}$",), ("^b",), 0, None, 10, strict_dot=False)

    assert (sorted(words), complete) == (["a", "aa", "ab"], True)


def test_no_word_is_a_proof():
    assert _search(("^a+$",), ("^a*$",), 0, None, 1, strict_dot=False) == ([], True)
    assert _search(("^[a-z]{5,}$",), (), 0, 3, 1, strict_dot=False) == ([], True)
