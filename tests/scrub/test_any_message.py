"""Nothing that a message holds stops the scrubber or the scanner."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrub.test_stays_valid import scrubber_for

from contract_test.files.exact_json import exact_loads
from contract_test.scanner import leaks_in_line
from contract_test.scrub.pseudonyms import Pseudonyms

PIECES = st.sampled_from([
    "ana@x.se", "@", "a@b", "://", "http://", "x+y://u:p@h?q=%zz#", "+49", "00", "(415) 555-2671", "1-1-1-1-1-1-1", "%41",
    "2026-03-01", "2026-03-01T12:00", "12:30:45.5Z", "::1", "1::", "eyJh", "{", "[", '"', "{}", "[1]", "e30=", "DE89", "\\u",
    "m-", "-", ".", "٣", "é", "\u0301", "日", "\U0001f600", "\x00", "A1B2C3D4", "0" * 30, "f" * 33,
])  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=5), st.characters(exclude_categories=["Cs"])), max_size=8).map(
    "".join
)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(
    lambda text: exact_loads(text.encode())
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), NUMBERS, TEXTS
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
PLAN = scrubber_for({
    "properties": {"a": {"pattern": "^[a-z]{2,40}(-[0-9]+)?$"}, "m": {"patternProperties": {"^x": {"maxLength": 3}}}},
})  # fmt: skip
MADE = Pseudonyms(b"a key for tests", ["m-"])


@settings(deadline=None, max_examples=300)
@given(VALUES)
def test_any_value_can_be_scrubbed(value):
    made, masked = PLAN.mask({"a": value, "m": value, "other": value})
    assert list(made)[:2] == ["a", "m"]
    assert all(pointer.startswith("/") or pointer == "" for pointer in masked)


@pytest.mark.parametrize(
    "unit", ["a", "A", "1", "a1-", "-", "_", "a.", "1 ", "=", "/", "a/", "é", "%41", "a@", ":", "0x"]
)
def test_a_long_text_has_a_pseudonym_before_anybody_gives_up(unit):
    text = unit * (60_000 // len(unit))
    (made,) = PLAN.mask({"other": text})[0].values()
    assert made != text


@settings(deadline=None, max_examples=500)
@given(TEXTS)
def test_any_text_has_a_pseudonym_and_is_not_changed_by_another_look(text):
    assert MADE.text(text) == Pseudonyms(b"a key for tests", ["m-"]).text(text)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=200), TEXTS.map(lambda text: text.encode(errors="surrogatepass"))))
def test_any_bytes_can_be_scanned(raw):
    leaks_in_line(raw)


def test_where_every_name_of_a_length_is_taken_longer_ones_are_found():
    letters = dict.fromkeys("abcdefghijklmnopqrstuvwxyz.-")
    made, _ = PLAN.mask({"other": letters})
    (inner,) = [each for each in made.values() if each]
    assert len(inner) == len(letters)
