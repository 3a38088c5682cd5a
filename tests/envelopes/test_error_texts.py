"""The text of a DecodeError can be logged: it shows a value only if the contract calls it public."""

import pytest

from envelopes import DecodeError, Violation, Wire, decode
from envelopes._sensitivity import described
from envelopes.validation import compile_schema, find_violation

PUBLIC, PERSONAL = {"x-sensitivity": "public"}, {"x-sensitivity": "personal"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "plain": {"type": "integer"},
        "open": {"type": "integer", **PUBLIC},
        "named": {"$ref": "#/$defs/Open"},
        "narrowed": {"$ref": "#/$defs/Open", **PERSONAL},
        "list": {"type": "array", "items": {"type": "integer"}, **PUBLIC},
        "pair": {"type": "array", "prefixItems": [{"type": "integer", **PUBLIC}, {"type": "integer"}]},
        "object": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer", **PERSONAL}},
            **PUBLIC,
        },
        "map": {"type": "object", "additionalProperties": {"type": "integer", **PUBLIC}},
        "choice": {"anyOf": [{"type": "integer", **PUBLIC}, {"type": "boolean", **PERSONAL}]},
        "half": {"anyOf": [{"type": "integer", **PUBLIC}, {"type": "boolean"}]},
        "all": {"anyOf": [{"type": "integer", **PUBLIC}, {"type": "boolean", **PUBLIC}]},
        "both": {"allOf": [{"type": "integer"}, PUBLIC]},
        "tree": {"$ref": "#/$defs/Tree"},
    },
    "patternProperties": {"^x_": {"type": "integer", **PUBLIC}},
    "$defs": {
        "Open": {"type": "integer", **PUBLIC},
        "Tree": {"type": "object", "properties": {"n": {"type": "integer", **PUBLIC}, "kid": {"$ref": "#/$defs/Tree"}}},
    },
}
PLACES = [
    ({"plain": "ana"}, False),
    ({"open": "ana"}, True),
    ({"named": "ana"}, True),
    ({"narrowed": "ana"}, False),
    ({"list": [1, "ana"]}, True),
    ({"pair": ["ana", 1]}, True),
    ({"pair": [1, "ana"]}, False),
    ({"object": {"a": "ana"}}, True),
    ({"object": {"b": "ana"}}, False),
    ({"map": {"k": "ana"}}, True),
    ({"choice": "ana"}, False),
    ({"both": "ana"}, True),
    ({"half": "ana"}, False),
    ({"all": "ana"}, True),
    ({"x_1": "ana"}, True),
    ({"tree": {"kid": {"kid": {"n": "ana"}}}}, True),
]


@pytest.mark.parametrize(("value", "shown"), PLACES)
def test_only_public_values_are_shown(value, shown):
    violation = find_violation(compile_schema({"urn:s": SCHEMA}, "urn:s#"), value)
    text = str(DecodeError("s", 1, violation, b"raw"))
    assert violation.public is shown
    assert ('"ana"' in text) is shown
    assert ("a text of 3 characters" in text) is not shown
    assert violation.found == '"ana"'


def test_names_that_are_no_names_of_fields_are_counted():
    validator = compile_schema({"urn:s": SCHEMA}, "urn:s#")
    for names, told in (
        (["typo"], 'here: ["typo"])'),
        (["typo", "ana@example.org", "+46 70 123"], 'here: ["typo"] and 2 more)'),
        (["ana@example.org"], "here: 1)"),
    ):
        text = str(DecodeError("s", 1, find_violation(validator, dict.fromkeys(names)), b""))
        assert told in text
        assert "ana" not in text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ('"ana"', "a text of 3 characters"),
        ('"\\u00e9\\""', "a text of 2 characters"),
        ('""', "an empty text"),
        ('"' + "a" * 59 + "…", "a long text"),
        ("-12.50", "a number of 4 digits"),
        ("1E+400", "a number of 4 digits"),
        ("46701234567", "a number of 11 digits"),
        ("the bytes ff 41", "2 bytes"),
        ("7b 22 6d 61 69 6c 22", "7 bytes"),
        ("true", "true"),
        ("null", "null"),
        ("an object with 2 fields", "an object with 2 fields"),
        ("an array of 3", "an array of 3"),
        ("no value", "no value"),
    ],
)
def test_a_value_is_described_by_type_and_length(found, text):
    assert str(DecodeError("s", 1, Violation("/a", "type", "x", found), b"")) == f"s v1 at /a: expected x, found {text}"
    assert described(described(found)) == text


SECRET = "ana.diaz+46701234567@example.org"


@pytest.mark.parametrize(
    ("channel", "wire"),
    [
        ("transport", f'{{"class": "{SECRET}", "args": [{{}}]}}'),
        ("transport", f'{{"class": "DeliveryRequested", "args": [{{"delivery_id": 5, "{SECRET}": 1}}]}}'),
        ("transport", f'"{SECRET}"'),
        ("activity", f'{{"specversion": "{SECRET}", "id": "1", "source": "/s", "type": "t"}}'),
        ("activity", f'{{"specversion": "1.0", "id": "1", "source": "/s", "type": "{SECRET}", "data": {{}}}}'),
        (
            "activity",
            f'{{"specversion": "1.0", "id": "1", "source": "/s", "type": "message.liked", "time": "{SECRET}"}}',
        ),
        (
            "activity",
            f'{{"specversion": "1.0", "id": "1", "source": "/s", "type": "message.liked", "data_base64": "{SECRET}"}}',
        ),
        (
            "activity",
            f'{{"specversion": "1.0", "id": "1", "source": "/s", "type": "message.liked", "data": {{"like_id": "{SECRET}"}}}}',
        ),
        (
            "activity",
            f'{{"specversion": "1.0", "id": "1", "source": "/s", "type": "message.liked", "data": {{"reaction": "{SECRET}"}}}}',
        ),
        ("activity", Wire(b"{}", None, {"ce_specversion": "1.0", "ce_type": SECRET, "content-type": SECRET})),
        (
            "activity",
            Wire(b"{}", None, {"ce_subject": SECRET.encode("utf-16"), "ce_type": "t", "ce_specversion": "1.0"}),
        ),
    ],
)
def test_no_codec_shows_what_a_message_holds(channel, wire):
    with pytest.raises(DecodeError) as caught:
        decode(wire, channel=channel)
    for shown in (str(caught.value), repr(caught.value), *caught.value.args):
        assert not any(part in shown for part in ("ana", "diaz", "4670", "example.org"))
