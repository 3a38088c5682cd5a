"""Numbers and times keep what their text says, through `from_json` and `to_json`."""

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from envelopes import ContractViolationError, DecodeError, EncodeError
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


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    from contract_test.files.catalog import load_catalog
    from contract_test.use_cases.generate import generate

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


def test_a_byte_that_is_no_text_is_refused(exact):
    with pytest.raises(DecodeError):
        exact.from_json(b'{"any":"\xff"}')


def test_values_built_in_code_are_exact_too(exact):
    assert (
        exact(number=Decimal("0.1000000000000000000000000001")).to_json()
        == b'{"number":0.1000000000000000000000000001}'
    )
    assert exact(whole=10**30).to_json() == b'{"whole":1' + b"0" * 30 + b"}"
    for wrong in (float("nan"), float("inf"), Decimal("NaN")):
        with pytest.raises((ContractViolationError, EncodeError)):
            exact(number=wrong)
        with pytest.raises((ContractViolationError, EncodeError)):
            exact(any=[wrong])
    with pytest.raises(ContractViolationError):
        exact(any={1: 2})
    with pytest.raises(ContractViolationError):
        exact(any=object())


def test_freezing_is_deep_and_idempotent():
    frozen = freeze({"a": [1, {"b": None}]})
    assert frozen == FrozenMap({"a": (1, FrozenMap({"b": None}))})
    assert freeze(frozen) == frozen
    assert hash(frozen) == hash(freeze({"a": [1, {"b": None}]}))
    assert "a" in frozen
    assert list(frozen.values()) == [(1, FrozenMap({"b": None}))]
