"""Numbers and days that identify people: found in the forms in which people write them, and not in ids and amounts."""

import base64
import json
from random import Random

import pytest

from contract_test.scanner import leaks_in_line, leaks_in_text

FOUND = {
    "phone": ["0171 1234567", "070-123 45 67", "06 12 34 56 78", "(030) 901820", "07911 123456", "01711234567"],
    "identity-number": [
        "811218-9876", "19811218-9876", "131052-308T", "756.9217.0769.85", "390.533.447-05", "RSSMRA85T10A562S",
        "my number is 390.533.447-05!",
    ],
    "birth-date": ["born 12.04.1987", "geboren am 1987-04-12", "née le 12/04/1987", "DOB: 1987/4/12"],
}  # fmt: skip
NOT_FOUND = [
    "2026-03-01T12:00:00Z", "999 123 45 67", "0999 1234567", "999.533.447-05", "born to run", "ORD-20261123-0012",
    "811218-9875", "390.533.447-06", "reborn 2087-04-12", "1764000000123", "00012345", "v1.2.3",
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in FOUND.items() for text in texts])
def test_it_is_found_in_a_text_and_in_what_a_text_carries(rule, text):
    coded = base64.b32encode(text.encode()).decode()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in text)
    for each in (text, f"call: {text}, please", coded, escaped, json.dumps({"a": text})):
        assert rule in dict(leaks_in_text(each)), each


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_has_the_form_alone_is_not_found(text):
    assert leaks_in_text(text) == []


def test_a_field_that_is_called_so_has_a_day_of_birth():
    for name in ("birth_date", "birthDate", "dateOfBirth", "geburtsdatum", "fecha_nacimiento", "date_naissance", "dob"):
        assert [each.rule for each in leaks_in_line(json.dumps({name: "1987-04-12"}).encode())] == ["birth-date"], name
        assert leaks_in_line(json.dumps({name: "2067-04-12"}).encode()) == [], "nobody is born in the future"


def test_ids_times_amounts_and_order_numbers_are_nobodys():
    random = Random(1)
    orders = (
        lambda: f"ORD-{random.randrange(10**8):08}", lambda: f"{random.randrange(10**10):010}",
        lambda: f"{random.randrange(10**6):06}-{random.randrange(10**4):04}", lambda: f"A{random.randrange(10**7)}",
        lambda: f"2026-{random.randrange(10**6):06}", lambda: random.randrange(10**9),
    )  # fmt: skip
    counts = dict.fromkeys(("id", "ms", "amount", "order", "time"), 0)
    for number in range(2500):
        row = {
            "id": random.randrange(10 ** random.randrange(4, 13)),
            "ms": 1_600_000_000_000 + random.randrange(2 * 10**11),
            "amount": round(random.random() * 10 ** random.randrange(2, 7), 2),
            "order": random.choice(orders)(),
            "time": f"2026-11-30T{number % 24:02}:{number % 60:02}:{number % 60:02}.{random.randrange(10**6):06}+00:00",
        }
        for name, value in row.items():
            counts[name] += bool(leaks_in_line(json.dumps({name: value, "number": number}).encode()))
    assert sum(counts.values()) <= 10, counts


@pytest.mark.parametrize("text", ["IE00 LZHP 9347 9811 9111 91", "GB17 WEST 0344 0003 5486 44", "A 2345 6789 0124 7"])
def test_a_part_of_a_longer_number_in_groups_is_no_identity_number(text):
    assert "identity-number" not in dict(leaks_in_text(text))
