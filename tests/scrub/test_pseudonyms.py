"""Pseudonyms: the same text is the same one everywhere, of the same form, and nothing that anybody takes for real."""

import ipaddress
import re
from itertools import product
from random import Random
from string import ascii_letters, ascii_uppercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrub.planted import secrets
from scrub.test_stays_valid import scrubber_for

from contract_test.files.exact_json import exact_dumps, exact_loads
from contract_test.scanner import leaks_in_line, leaks_in_text
from contract_test.scrub.pseudonyms import Pseudonyms

MADE = Pseudonyms(b"a key for tests", ["m-", "d-", "l-", "user_"])
TEXTS = {
    "Bo likes your message": r"[A-Z][a-z] [a-z]{5} [a-z]{4} [a-z]{7}",
    "m-7f3a9c": r"m-[0-9a-z]{6}",
    "ana.garcia@gmail.com": r"[a-z.]+@[a-z]+\.test",
    "https://ana:pw@x.internal:80/a/b?token=abc#x": r"https://[a-z]+\.test/[a-z]/[a-z]\?[a-z]{5}=[a-z]{3}#[a-z]",
    "550e8400-e29b-41d4-a716-446655440000": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV": r"[0-7][0-9A-HJKMNP-TV-Z]{25}",
    "3f9a17c20b4e3f9a17c20b4e3f9a17c20b4e3f9a": r"[0-9a-f]{40}",
    "+4915112345678": r"\+999[0-9]{10}",
    "4111 1111 1111 1111": r"999[0-9] [0-9]{4} [0-9]{4} [0-9]{4}",
    "2026-03-01T12:00:00.123Z": r"[0-9]{4}-[01][0-9]-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z",
    "1987-04-12": r"(19[7-9][0-9]|20[0-2][0-9])-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
    "2026-03-01T12:00+02:00": r"[0-9]{4}-[01][0-9]-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]\+02:00",
    "12:30:45.678Z": r"[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z",
    "2026-03-01 12:00:00z": r"[0-9]{4}-[01][0-9]-[0-2][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]z",
    "10.20.30.40": r"2[45][0-9](\.[0-9]{1,3}){3}",
    "Åsa Öst": r"[À-Ý][a-z]{2} [À-Ý][a-z]{2}",
    "日本語": r"[ぁ-ん]{3}",
    "!?#$%&": r"[a-z]{6}",
    "": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_form_stays_and_the_text_does_not(text):
    made = MADE.text(text)
    assert re.fullmatch(TEXTS[text], made), made
    assert not text or made != text
    assert made == MADE.text(text), "always the same"
    assert not text or made != Pseudonyms(b"another key").text(text), "and another one under another key"
    assert "." in text or len(made) == len(text)


def test_short_texts_that_differ_stay_different():
    texts = ["".join(each) for each in product("abcdefghijklmnopqrstuvwxyz", repeat=2)]
    assert len({MADE.text(each) for each in texts}) == len(texts)
    numbers = [f"{number:05}" for number in range(3000)]
    assert len({MADE.text(each) for each in numbers}) == len(numbers)
    assert len({MADE.number(number) for number in range(1000, 10_000)}) == 9000


def test_an_id_inside_another_is_still_the_same_one():
    assert MADE.text("d-l-5d21e0") == "d-" + MADE.text("l-5d21e0")
    assert MADE.text("write to ana.garcia@gmail.com!").split()[2].strip("!") == MADE.text("ana.garcia@gmail.com")


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_one_of_the_same_length_and_nothing_of_itself(text):
    made = MADE.text(text)
    if not re.search(r"[@:.]", text):
        assert len(made) == len(text)
    words = re.findall(f"[{ascii_letters}{digits}]{{8,}}", text)
    assert not any(word in made for word in words)


@pytest.mark.parametrize("seed", range(12))
def test_the_scanner_takes_no_pseudonym_for_the_real_thing(seed):
    for each in secrets(150, seed):
        for text in (
            each.text,
            f"user_{each.text}",
            f"see: {each.text}, and {each.core}",
            f'{{"inner": "{each.text}"}}',
        ):
            made = MADE.text(text)
            assert leaks_in_text(made) == [], (each.kind, made)
        if each.core.isdigit():
            assert leaks_in_line(str(MADE.number(int(each.core))).encode()) == []


IDS = {  # how ids of real systems are written: # is a hexadecimal digit, A a capital or a digit, ? any of base64url
    "a UUID": ["########-####-4###-a###-############", "booking-########-####-4###-a###-############",
               "urn:uuid:########-####-4###-a###-############", "########-####-4###-a###-############/part-7",
               "??????????????????????-########-####-4###-a###-############"],
    "a digest": ["#" * 20, "#" * 24, "order-" + "#" * 40, "sha256:" + "#" * 64, "https://cdn.acme.com/img/" + "#" * 40 + ".png"],
    "an id of letters": ["?" * 20, "?" * 21, "?" * 27, "customer_" + "?" * 22 + "_" + "?" * 22, "A" * 26, "SKU-" + "A" * 25 + "-EU"],
    "parts": ["ORD-20261123-AAAAAAAAAAAA", "AAA-12345678-AAAAAAAAAAAA-García", "Warehouse-2026-11-23T10:00:00Z-AAAAAAAAAA",
              "00-" + "#" * 32 + "-" + "#" * 16 + "-01", "Ana/invoice/shipping/München/eu"],
    "numbers": ["022-78-5665", "GB17 WEST 0344 0003 5486 44", "GB55 WEST 1527 2190 8973 61", "(415) 555-2671", "1234567890123"],
    "what holds others": ['{"a": "' + "A" * 30 + '", "u": "########-####-4###-a###-############", "m": "x@y.com"}',
                          "$2b$12$" + "A" * 53, "session=" + "?" * 32 + "; path=/"],
}  # fmt: skip


@pytest.mark.parametrize("kind", IDS)
def test_the_scanner_finds_nothing_in_the_pseudonym_of_an_id(kind):
    source = Random(kind)
    letters = {"#": "0123456789abcdef", "A": ascii_uppercase + digits, "?": ascii_letters + digits + "-_"}
    for form in IDS[kind]:
        for _ in range(300):
            text = "".join(source.choice(letters[letter]) if letter in letters else letter for letter in form)
            made = MADE.text(text)
            assert leaks_in_text(made) == [], (text, made)


PATTERNS = {  # what a contract asks for, and a form of it as in IDS, with 0 for any digit
    "^cus_[a-z0-9]{20}$": "cus_" + "#" * 20,
    "^[0-9a-f]{24}$": "#" * 24,
    "^[A-Za-z0-9_-]{21}$": "?" * 21,
    "^(booking|order)-[0-9a-f-]{36}$": "booking-########-####-4###-a###-############",
    "^(sk|pk)_(live|test)_[A-Za-z0-9]{24}$": "sk_live_" + "#" * 24,
    "^4[0-9]{15}$": "4" + "0" * 15,
    "^[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}$": "415-555-0000",
    "^[a-z.]+@[a-z]+\\.com$": "ana.garcia@gmail.com",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_scanner_finds_nothing_in_what_follows_a_pattern(pattern):
    source = Random(pattern)
    letters = {"#": "0123456789abcdef", "?": ascii_letters + digits + "-_", "0": digits}
    scrubber = scrubber_for({"type": "string", "pattern": pattern})
    for _ in range(100):
        text = "".join(source.choice(letters[letter]) if letter in letters else letter for letter in PATTERNS[pattern])
        made, _ = scrubber.scrub(text)
        assert made != text
        assert re.search(pattern, made)
        assert leaks_in_text(made) == [], (text, made)


def test_ids_that_differ_only_behind_a_number_stay_different():
    texts = {f"ORD-20261123-{first}{second}9QW2ABCDE" for first in ascii_uppercase for second in ascii_uppercase}
    assert len({MADE.text(each) for each in texts}) == len(texts)


def test_a_pattern_of_its_own_shape_is_followed():
    schema = {"type": "string", "pattern": "^(SE|NO)[0-9]{3}-(red|green)-[a-f]+$", "x-sensitivity": "personal"}
    made, masked = scrubber_for(schema).scrub("SE123-green-abcdef")
    assert re.fullmatch(schema["pattern"], made)
    assert made != "SE123-green-abcdef"
    assert masked == ("",)


def test_what_follows_a_long_pattern_is_one_letter_again_and_again():
    schema = {"type": "string", "pattern": "^(SE|NO)-[a-f]{30}$", "x-sensitivity": "personal"}
    made = {scrubber_for(schema).scrub(f"SE-{start}{'abcdef' * 4}")[0] for start in ("abcdef", "bbcdef", "cafeca")}
    assert len(made) == 3
    for each in made:
        assert re.fullmatch(schema["pattern"], each)
        assert set(each[-18:]) == {"f"}


def test_times_spread_over_all_days_and_hours():
    made = [MADE.text(f"2026-03-01T12:{minute:02}:{second:02}Z") for minute in range(60) for second in range(60)]
    for start, end, count in ((0, 4, 60), (5, 7, 12), (8, 10, 28), (11, 13, 24), (14, 16, 60), (17, 19, 60)):
        assert len({each[start:end] for each in made}) == count
    assert {each[:4] for each in made} == {str(year) for year in range(1970, 2030)}
    assert sum(each[14:16] == each[17:19] for each in made) < 200, (
        "minutes and seconds have nothing to do with each other"
    )


def test_network_addresses_are_reserved_ones():
    for number in range(200):
        made = ipaddress.ip_address(MADE.text(f"8.8.{number}.4"))
        assert made.is_reserved, made
    assert ipaddress.ip_address(MADE.text("2a00:1450:4001:82a::200e")) in ipaddress.ip_network("2001:db8::/32")


@pytest.mark.parametrize(
    "number", [1.7976931348623157e308, 10**25 + 1, -9.9e307, 5e-324, 10**40 + 7, -(10**3000), 1e16, 123456.789e-200]
)
def test_numbers_of_any_size_have_one(number):
    for salt in range(20):
        made = MADE.number(number, salt)
        assert type(made) is type(number)
        assert abs(made) < float("inf")
        assert (made < 0) == (number < 0)
    schema = {"x-sensitivity": "personal", "not": {"multipleOf": 5}, "minimum": -abs(number)}
    made, _ = scrubber_for({"properties": {"n": schema}}).scrub({"n": number})
    assert isinstance(made["n"], int | float)


@pytest.mark.parametrize("text", ["1e400", "-1.5E+400", "37e-500", "-2.5e-4000", "1E4000"])
def test_a_number_that_no_double_holds_has_one_that_none_holds_either(text):
    (made,), masked = scrubber_for({"items": {"type": "number"}}).scrub([exact_loads(text.encode())])
    assert masked == ("/0",)
    assert made.text != text
    assert re.sub("[0-9]+", "0", made.text).upper() == re.sub("[0-9]+", "0", text).upper()
    assert made.text.upper().partition("E")[2] == text.upper().partition("E")[2]


@pytest.mark.parametrize("text", [
    "4929123456789012e-400", f"0.{'0' * 400}4929123456789012", f"5.{'0' * 20}4929123456789012", "1e-400",
])  # fmt: skip
@pytest.mark.parametrize(
    "schema", [{"type": "number"}, {"enum": [0, 5]}, {"minimum": 0, "maximum": 5, "multipleOf": 1}]
)
def test_digits_behind_those_of_a_double_are_no_number_that_a_contract_names(text, schema):
    (made,), _ = scrubber_for({"items": schema}).mask([exact_loads(text.encode())])
    assert "4929123456789012" not in exact_dumps(made).decode()
    assert exact_dumps(made).decode() != text
