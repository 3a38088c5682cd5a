"""For any bytes, `decode` and `from_json` return a value or raise a DecodeError, with work that is linear in the text."""

import random
import sys
from importlib import import_module

import pytest
from adversarial import CODECS, KINDS, SCHEMAS, SEEDS, mutated, write_hostile_contracts

from envelopes import DecodeError, Envelope, ValueObject, Wire, decode
from envelopes.messages import CATALOG, MessageLiked
from envelopes.validation import compile_schema, find_violation, find_violations

MUTATED = 0.8
"""The share of messages that are changed. Each other one is valid on a channel of its codec."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A package of contracts that are expensive to explain, each on a channel of every codec."""
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile_contracts(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module("hostile_messages.messages")


def outcome_of(read):
    """Return what was read, or the DecodeError. Nothing else may be raised."""
    try:
        return read()
    except DecodeError as error:
        return error


@pytest.mark.parametrize("seed", range(4))
def test_any_bytes_are_a_value_or_a_decode_error(hostile, seed):
    decode_random_bytes(hostile, random.Random(seed), 250)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 110))
def test_any_bytes_are_a_value_or_a_decode_error_at_length(hostile, seed):
    decode_random_bytes(hostile, random.Random(seed), 5_000)


def decode_random_bytes(hostile, rng, times):
    outcomes = set()
    for _ in range(times):
        raw = mutated(rng) if rng.random() < MUTATED else rng.choice(SEEDS)
        wire = Wire(raw, raw[:5], [("ce_type", raw[:9]), ("content-type", raw[5:40])]) if rng.random() < 0.3 else raw
        channel = rng.choice(CODECS)
        outcome = outcome_of(lambda: decode(wire, channel=channel, catalog=hostile.CATALOG))  # noqa: B023 - called now
        assert isinstance(outcome, Envelope) or (outcome.raw == raw and len(str(outcome)) < 20_000)
        outcomes.add(type(outcome))
        for cls in (hostile.TreeJson, hostile.UntaggedJson, hostile.StackedJson, hostile.WideJson, MessageLiked):
            outcome = outcome_of(lambda: cls.from_json(raw))  # noqa: B023 - called now
            assert isinstance(outcome, ValueObject) or outcome.raw == raw
    assert outcomes == {DecodeError, Envelope}


@pytest.mark.parametrize(
    "raw", [b"1e9999999999999999999", b'{"n": -1e-99999999999999999999}', b"[1e99999999999999999]"]
)
def test_an_exponent_that_no_number_type_holds_is_a_decode_error(raw):
    with pytest.raises(DecodeError, match="a number of more than 4000 digits"):
        decode(raw, channel=next(iter(CATALOG.channels)))


@pytest.mark.timeout(60)  # each level used to double the time: 369 bytes took 12 s
@pytest.mark.parametrize("depth", [5, 15, 50, 190])
def test_a_violation_below_a_recursive_tagged_union_is_explained_at_its_place(depth):
    value = "bad"
    for level in range(depth):
        value = {"kind": KINDS[level % 3], "child": value}
    violation = find_violation(compile_schema({"urn:tree": SCHEMAS["tree"]}, "urn:tree#"), value)
    assert violation.pointer.startswith("/child/child/child")
    assert violation.pointer.count("/") <= depth
    assert violation.keyword in {"oneOf", "type", "const"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SCHEMAS)
def test_every_violation_of_a_deep_or_wide_message_is_listed_in_reasonable_time(name):
    validator = compile_schema({f"urn:{name}": SCHEMAS[name]}, f"urn:{name}#")
    value = "bad"
    for level in range(150):
        value = {"kind": "zz" if level % 7 == 0 else "a", "child": value, "children": [value] if level > 147 else []}
    assert not validator.is_valid({"kind": 7, "id": 7, "n": "x", "child": value})
    assert list(find_violations(validator, {"kind": 7, "id": 7, "n": "x", "child": value}))
    assert list(validator.iter_errors({"kind": 7, "id": 7, "n": "x", "child": value}))


def union_of(schemas):
    return {"oneOf": [{"type": "object", "required": ["k"], "properties": each} for each in schemas]}


GROWING = {
    "items": ({"type": "array", "items": {"type": "string"}}, lambda size: list(range(size))),
    "items of a union": (
        {"type": "array", "items": union_of({"k": {"const": number}} for number in range(50))},
        lambda size: [{"k": 99}] * size,
    ),
    "undeclared fields": ({"type": "object", "additionalProperties": False}, lambda size: numbered("k", size)),
    "values of a map": ({"additionalProperties": {"type": "string"}}, lambda size: numbered("k", size)),
    "names of a map": ({"propertyNames": {"maxLength": 1}}, lambda size: numbered("kk", size)),
    "many patterns": (
        {"patternProperties": {f"k{number}": {"type": "string"} for number in range(50)}},
        lambda size: numbered("k", size),
    ),
    "many alternatives": (
        union_of({"k": {"const": number}, "x": {"type": "integer"}} for number in range(500)),
        lambda size: {"k": 1, "x": ["s"] * size},
    ),
    "alternatives without a tag": (
        {"anyOf": [{"type": "object", "required": [f"t{number}"]} for number in range(500)]},
        lambda size: numbered("k", size),
    ),
    "large constants": ({"items": {"enum": [[number] for number in range(200)]}}, lambda size: [[-1]] * size),
    "what is left over": (
        {"allOf": [{"properties": {f"k{number}": True}} for number in range(50)], "unevaluatedProperties": False},
        lambda size: numbered("k", size),
    ),
}


def numbered(name, size):
    return {f"{name}{number}": 1 for number in range(size)}


@pytest.mark.parametrize("name", GROWING)
def test_the_work_of_an_explanation_is_linear_in_the_message(name):
    schema, message = GROWING[name]

    def work(size):
        """Count the calls of Python functions: they do not depend on how busy the machine is."""
        validator, value, calls = compile_schema({"urn:s": schema}, "urn:s#"), message(size), 0

        def count(_frame, event, _argument):
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            violation = find_violation(validator, value)
        finally:
            sys.setprofile(None)
        assert violation is not None
        return calls

    assert work(16_000) < 10 * work(2_000) + 1000


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.timeout(60)
def test_a_large_message_is_explained_at_a_place(name):
    schema, message = GROWING[name]
    validator = compile_schema({"urn:s": schema}, "urn:s#")
    violation = find_violation(validator, message(20_000))
    assert len(str(violation)) < 1000
    assert violation.keyword in (
        "type", "const", "oneOf", "anyOf", "additionalProperties", "propertyNames", "unevaluatedProperties", "enum",
        "falseSchema",
    )  # fmt: skip
    assert next(find_violations(validator, message(20_000))) is not None


def test_a_small_message_is_explained_as_fully_as_before():
    validator = compile_schema({"urn:tree": SCHEMAS["tree"]}, "urn:tree#")
    violation = find_violation(validator, {"kind": "a", "child": {"kind": "b", "child": 1.5}})
    assert violation.pointer == "/child/child"
    violation = find_violation(validator, {"kind": "a", "child": {"kind": "d"}})
    assert str(violation) == '/child/kind: expected one of ["a","b","c"], found "d"'
