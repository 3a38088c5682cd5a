"""Numbers and times keep what their text says, through `from_json` and `to_json`."""

import copy
import functools
import json
import pickle
import random
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest

from envelopes import ContractViolationError, DecodeError, _json
from envelopes._json import JsonError, loads
from envelopes.types import ExactDatetime, ExactFloat, ExactInt, FrozenMap, freeze

SCHEMA = {
    "type": "object",
    "properties": {
        "whole": {"type": "integer"},
        "number": {"type": "number"},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "clock": {"type": "string", "format": "time"},
        "any": True,
        "bounded": {"type": "integer", "maximum": 9007199254740993},
        "either": {"type": ["integer", "null", "boolean"]},
    },
}


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    from contract_test.files.catalog import load_catalog
    from contract_test.generate.package import generate

    folder = tmp_path_factory.mktemp("exact")
    (folder / "contracts" / "exact").mkdir(parents=True)
    (folder / "contracts" / "exact" / "v1.json").write_text(json.dumps(SCHEMA))
    generate(load_catalog(folder / "contracts"), "exact_package", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield __import__("exact_package.messages", fromlist=["ExactV1"]).ExactV1


LONG = "123456789012345678901234567890"


@pytest.mark.parametrize(
    "text",
    [
        '{"whole":1}',
        '{"whole":1.0}',
        '{"whole":-0.0}',
        f'{{"whole":{LONG}}}',
        f'{{"whole":-{LONG}.0}}',
        '{"whole":18446744073709551615}',
        '{"whole":18446744073709551616}',
        '{"whole":-9223372036854775809}',
        '{"number":1}',
        '{"number":1.0}',
        '{"number":0.1}',
        '{"number":0.30000000000000004}',
        '{"number":0.1000000000000000000000000001}',
        '{"number":1E+400}',
        '{"number":1E-400}',
        f'{{"number":{LONG}}}',
        '{"any":[1,1.0,{"a":0.1000000000000000000000000001}]}',
        '{"either":true}',
        '{"either":1.0}',
        '{"either":null}',
        '{"at":"2026-03-01T12:00:00Z"}',
        '{"at":"2026-03-01T12:00:00.5Z"}',
        '{"at":"2026-03-01T12:00:00.000000Z"}',
        '{"at":"2026-03-01T12:00:00.123456789Z"}',
        '{"at":"2026-03-01t12:00:00z"}',
        '{"at":"2026-03-01T12:00:00-05:30"}',
        '{"at":"2016-12-31T23:59:60Z"}',
        '{"at":"0000-01-01T00:00:00Z"}',
        '{"day":"2026-03-01"}',
        '{"day":"0000-02-29"}',
        '{"clock":"23:59:59.5Z"}',
    ],
)
def test_a_text_comes_back_as_it_was(exact, text):
    value = exact.from_json(text)
    assert value.to_json().decode() == text
    assert pickle.loads(pickle.dumps(value)).to_json().decode() == text
    assert copy.deepcopy(value).to_json().decode() == text
    if value.clock is None:
        assert text[1:-1] in value.model_copy(update={"clock": "12:00:00Z"}).to_json().decode()


def test_values_are_of_the_types_that_a_reader_expects(exact):
    value = exact.from_json('{"whole":1.0,"number":1E+400,"at":"2016-12-31T23:59:60Z","any":[{"a":[1]}]}')
    assert (type(value.whole), value.whole, value.whole + 1) == (ExactInt, 1, 2)
    assert isinstance(value.number, ExactFloat)
    assert value.number == float("inf")
    assert isinstance(value.at, ExactDatetime)
    assert value.at == datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert value.any == (FrozenMap({"a": (1,)}),)
    assert type(exact.from_json('{"at":"2026-03-01T12:00:00Z"}').at) is datetime


def test_bounds_are_held_exactly(exact):
    assert exact.from_json('{"bounded":9007199254740993}').bounded == 9007199254740993
    with pytest.raises(DecodeError):
        exact.from_json('{"bounded":9007199254740994}')
    with pytest.raises(DecodeError):
        exact.from_json('{"bounded":9007199254740993.5}')


@pytest.mark.parametrize(
    "text",
    [
        '{"whole":1.5}', '{"whole":"1"}', '{"whole":true}', '{"number":NaN}', '{"number":Infinity}', '{"number":"1"}',
        '{"at":"2026-03-01T12:00:00"}', '{"at":"2026-03-01"}', '{"at":1}', '{"day":"2026-02-30"}', '{"clock":"25:00:00Z"}',
        '{"whole":1', '{"whole":01}', "", "null ", '{"any":"\\ud800"}', f'{{"whole":{"9" * 5000}}}', '{"number":1e99999999}',
        '{"any":' + "[" * 5000 + "]" * 5000 + "}", '{"any":' + "[" * 300 + "]" * 300 + "}",
    ],
)  # fmt: skip
def test_what_is_not_valid_json_or_not_valid_is_refused(exact, text):
    with pytest.raises(DecodeError):
        exact.from_json(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"whole":{"9" * 4001}}}', "a number of 4001 digits; at most 4000 are read"),
        (f'{{"number":0.{"1" * 4000}}}', "a number of 4002 digits; at most 4000 are read"),
        ('{"number":1e4001}', "a number of more than 4000 digits"),
        ('{"number":1e-4001}', "a number of more than 4000 digits"),
        ('{"number":1e400,"any":NaN}', "NaN is not JSON"),
        ('{"number":1e400,"any":"\\ud800"}', "not valid UTF-8, or a lone surrogate"),
        ('{"number":1e400,"any":-Infinity}', "-Infinity is not JSON"),
        ('{"number":1e400,', "Expecting property name enclosed in double quotes: line 1 column 17 (char 16)"),
        ('{"any":' + "[" * 200 + "]" * 200 + "}", "nested deeper than 200 levels"),
        ('{"any":' + '{"a":[' * 100 + "]}" * 100 + "}", "nested deeper than 200 levels"),
        ('{"any":' + "[" * 1100 + "1e400" + "]" * 1100 + "}", "nested deeper than 200 levels"),
    ],
)
def test_what_no_reader_should_take_is_refused_with_the_limit(exact, text, found):
    with pytest.raises(DecodeError) as refused:
        exact.from_json(text)
    assert (refused.value.expected, refused.value.found) == ("one JSON text", found)


IDS = (
    "2f1b7e0c-123e-4123-9e77-400000000000",
    "77777777-777e-4123-8123-123456789012",
    "1234567890123456789",
    "n: -12345678901234567890.5, m: 1e-400, ",
    'quoted \\" 12345678901234567890, 1e-400',
)


@pytest.mark.parametrize("text", IDS)
def test_digits_in_a_text_do_not_have_the_message_read_again_by_the_standard_library(monkeypatch, text):
    value = {"id": text, "n": [1.5, -2]}
    raw = json.dumps(value).encode()
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("read again"))
    assert loads(raw) == value


@pytest.mark.parametrize(
    "text", [*IDS[:3], "00000000-123e-4123-8123-123e-9999-123e-0000", "A-1234567890123456789", "to 17e-123"]
)
def test_usual_ids_do_not_have_all_strings_of_the_message_looked_at(monkeypatch, text):
    value = {"id": text, "n": [1.5, -2]}
    monkeypatch.setattr(_json, "_STRING", None)  # what removes the strings before it looks at each number
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "number", ["12345678901234567890123", "-0.12345678901234567890", "1e-400", "-1E-400", "5e-325"]
)
@pytest.mark.parametrize(
    "around",
    [
        *("%s", " %s ", "[%s]", '{"a":%s}', '{"a" :\n%s\n}', '["1e-5",%s,0]', "[1,\t%s]"),
        *(f'{{"a":{" " * 40}%s}}', f'{{"a"{" " * 40}:%s}}', f"[1,{' ' * 40}%s]", f"{' ' * 40}%s"),
        *('["77e-123", "a 12345678901234567890", %s]', '{"77e-123":"-1234567890123456789","b":%s}'),
    ],
)
def test_a_long_number_is_exact_wherever_it_is(number, around):
    text = around % number
    assert loads(text.encode()) == json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"whole":{"9" * 4000}}}',
        f'{{"number":0.{"1" * 3998}}}',
        '{"number":1E+4000}',
        '{"any":' + "[" * 199 + "]" * 199 + "}",
        '{"any":' + '{"a":[' * 99 + "1E+400" + "]}" * 99 + "}",
    ],
)
def test_what_is_at_a_limit_is_read_and_written(exact, text):
    assert exact.from_json(text).to_json().decode() == text


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        ("0.30000000000000004", float),
        ("1234567890.12345678", ExactFloat),
        ("12345678901234567.5", ExactFloat),
        ("9007199254740992.0", float),
        ("100000000000000e3", float),
        ("1e-300", float),
        ("1.0000000000000000E-300", float),
        ("123456789012345678", int),
        ("1234567890123456789", int),
        ("18446744073709551615", int),
        ("18446744073709551616", ExactInt),
        ("-9223372036854775808", int),
        ("-9223372036854775809", ExactInt),
        ("100000000000000000000", ExactInt),
    ],
)
def test_a_number_is_of_the_plain_type_wherever_that_holds_it(exact, literal, kind):
    others = ',"number":0.1000000000000000000000000001,"whole":1.0'  # beside them, too
    for text in (f'{{"any":{literal}}}', f'{{"any":{literal}{others}}}', f'{{"any":["1.2.3.4.5.6.7.8.9",{literal}]}}'):
        held = exact.from_json(text).any
        assert type(held[1] if isinstance(held, tuple) else held) is kind
    assert type(freeze(Decimal(literal) if kind in (float, ExactFloat) else int(literal))) is kind


def test_a_byte_that_is_no_text_is_refused(exact):
    for text in (b'{"any":"\xff"}', b'{"number":1e400,"any":"\xff"}', b'{"number":1e400,"any":"\xed\xa0\x80"}'):
        with pytest.raises(DecodeError, match="not valid UTF-8"):
            exact.from_json(text)


def test_values_built_in_code_are_exact_too(exact):
    assert (
        exact(number=Decimal("0.1000000000000000000000000001")).to_json()
        == b'{"number":0.1000000000000000000000000001}'
    )
    assert exact(whole=10**30).to_json() == b'{"whole":1' + b"0" * 30 + b"}"
    assert exact(whole=Size.LARGE, any=[Colour.RED]).to_json() == b'{"whole":3,"any":["red"]}'
    assert exact(any={"a": {"b": [Decimal("1E+400")]}}).to_json() == b'{"any":{"a":{"b":[1E+400]}}}'


DEEP = functools.reduce(lambda inner, _: {"a": inner} if isinstance(inner, list) else [inner], range(200), [])


@pytest.mark.parametrize(
    ("field", "wrong", "expected", "found"),
    [
        ("whole", 1.5, "integer", "1.5"),
        ("whole", Decimal("1.5"), "an integer", "a value of type Decimal"),
        ("whole", Decimal("NaN"), "an integer", "a value of type Decimal"),
        ("whole", True, "integer", "true"),
        ("whole", "1", "integer", '"1"'),
        ("number", True, "number", "true"),
        ("number", "1", "number", '"1"'),
        ("number", float("nan"), "a number", "a value of type float"),
        ("number", Decimal("Infinity"), "a JSON number", "a value of type Decimal"),
        ("day", "2026-02-30", 'format "date"', '"2026-02-30"'),
        ("day", 1, "string", "1"),
        ("day", datetime(2026, 3, 1, tzinfo=UTC), "a date", "a value of type datetime"),
        ("at", "today", "an RFC 3339 date-time (it does not begin with a date such as 2026-03-01)", '"today"'),
        (
            "at",
            1,
            "an RFC 3339 date-time (it is a number, perhaps of seconds since 1970: write 2026-03-01T12:00:00Z)",
            "1",
        ),
        ("any", [float("inf")], "a JSON number", "a value of type list"),
        ("any", {1: 2}, "JSON, whose objects have strings as keys, and no int", "an object with 1 field"),
        ("any", {"a": {1}}, "JSON, which has no set", "a value of type dict"),
        ("any", DEEP, "JSON that is nested less deeply", "an array of 1"),
    ],
)
def test_what_cannot_be_written_cannot_be_built_and_says_why(exact, field, wrong, expected, found):
    with pytest.raises(ContractViolationError) as refused:
        exact(**{field: wrong})
    shown = refused.value
    assert (shown.pointer, shown.expected, shown.found) == (f"/{field}", expected, found)


def test_freezing_is_deep_and_idempotent():
    frozen = freeze({"a": [1, {"b": None}]})
    assert frozen == FrozenMap({"a": (1, FrozenMap({"b": None}))})
    assert freeze(frozen) == frozen
    assert hash(frozen) == hash(freeze({"a": [1, {"b": None}]}))
    assert "a" in frozen
    assert list(frozen.values()) == [(1, FrozenMap({"b": None}))]
    assert frozen == {"a": (1, {"b": None})}
    assert frozen != {"a": (1, {"b": 0})}
    assert frozen != [("a", (1, {"b": None}))]
    with pytest.raises(AttributeError, match="'a'"):
        del frozen.a


@pytest.mark.parametrize("seed", range(20))
def test_depth_is_counted_exactly_whatever_the_strings_hold(seed):
    rng = random.Random(seed)
    for _ in range(100):
        depth = rng.randrange(1, 12)
        text = rng.choice(['"]"', '"["', "1", '{"a":"}"}', "[]", '"\\"["'])
        for _ in range(depth):
            before = "".join(rng.choice(['"]",', '"[[",', "{},", '"}",', "0,"]) for _ in range(rng.randrange(3)))
            after = "".join(rng.choice([',"["', ',"{"', ',"]"']) for _ in range(rng.randrange(3)))
            text = f"[{before}{text}{after}]"
        deepest = depth_of(json.loads(text))
        assert loads(text.encode(), deepest) == json.loads(text)
        with pytest.raises(JsonError, match=f"deeper than {deepest - 1} levels"):
            loads(text.encode(), deepest - 1)


def depth_of(value):
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth_of, parts), default=0)


def test_a_long_text_that_hides_its_depth_in_strings_is_refused():
    text = b'["]",' * 201 + b"1" + b',"["]' * 201
    with pytest.raises(JsonError, match="deeper than 200"):
        loads(text)
