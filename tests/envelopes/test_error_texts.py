"""The text of an error can be logged: it shows a value only if the contract calls it public."""

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from envelopes import ContractViolationError, DecodeError, EncodeError, Envelope, Violation, Wire, decode, encode
from envelopes._sensitivity import described
from envelopes.messages import MessageLiked, MessagePosted
from envelopes.messages.message_liked_v2 import Person
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


LIKE = {
    "like_id": "l-5d21e0", "message_id": "m-7f3a9c", "group_id": "g-blue01", "reaction": "like",
    "liker": {"person_id": "p-bo0002", "name": "Bo"}, "author": {"person_id": "p-ana001", "name": "Bo"},
    "liked_at": "2026-03-01T12:00:05.120Z",
}  # fmt: skip
WRONG = [
    LIKE | {"like_id": SECRET},
    LIKE | {"reaction": SECRET},
    LIKE | {"liked_at": SECRET},
    LIKE | {"liker": SECRET},
    LIKE | {"liker": {"person_id": SECRET, "name": "Bo"}},
    LIKE | {"liker": {"person_id": "p-bo0002", "name": [SECRET]}},
    LIKE | {"like_id": {SECRET}},
    [SECRET],
    SECRET,
]


class Outer(BaseModel):
    like: MessageLiked | MessagePosted


class Attributes:
    def __init__(self, fields):
        self.__dict__.update(fields)

    def __repr__(self):
        return f"Attributes({self.__dict__})"


WAYS = {
    "built": lambda value: MessageLiked(**value),
    "a part built": lambda value: Person(person_id=value["like_id"], name=value["like_id"]),
    "copied": lambda value: MessageLiked.from_value(LIKE).model_copy(update=value),
    "validated": MessageLiked.model_validate,
    "validated by name": lambda value: MessageLiked.model_validate(value, by_name=True),
    "read as JSON": lambda value: MessageLiked.model_validate_json(str(value)),
    "read from texts": MessageLiked.model_validate_strings,
    "read from attributes": lambda value: TypeAdapter(MessageLiked).validate_python(
        Attributes(value), from_attributes=True
    ),
    "in a list": lambda value: TypeAdapter(list[MessageLiked]).validate_python([value]),
    "in a model": lambda value: Outer(like=value),
    "in the JSON of a model": lambda value: Outer.model_validate_json(f'{{"like": {value}}}'),
    "written in an envelope": lambda value: encode(Envelope(MessageLiked.from_value(LIKE), type=str(value))),
    "written for another version": lambda value: encode(Envelope(MessageLiked.from_value(LIKE), dataschema=str(value))),
    "written with a time": lambda value: encode(Envelope(MessageLiked.from_value(LIKE), time=value)),
    "written with an extension": lambda value: encode(
        Envelope(MessageLiked.from_value(LIKE), extensions={"mail": [value]})
    ),
}


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_build_or_write_shows_a_value(way, value):
    try:
        WAYS[way](value)
    except (ContractViolationError, EncodeError, ValidationError) as error:
        shown = [str(error), repr(error)]
        if isinstance(error, ValidationError) and (way != "read from texts" or isinstance(value, dict)):
            shown += [error.json(), str(error.errors())]
        if not (way.endswith("JSON of a model") or way == "read as JSON"):  # whose text pydantic shows if it is no JSON
            assert not any(part in each for each in shown for part in ("ana.diaz", "4670", "example.org"))
    except (TypeError, AttributeError, LookupError, ValueError):  # Python's own, for what is no keyword argument
        assert not isinstance(value, dict) or way == "a part built" or way.startswith("written")


def test_a_list_with_an_invalid_message_is_named_after_its_class():
    with pytest.raises(ValidationError, match=r"errors for list\[.*MessageLikedV[0-9]+\(\)") as raised:
        TypeAdapter(list[MessageLiked]).validate_python([{}])
    assert " at 0x" not in str(raised.value)
