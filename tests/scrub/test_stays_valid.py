"""Every valid message stays valid when it is scrubbed, whatever its schema."""

import json
from pathlib import Path
from random import Random

import pytest
from compare.schemas import VALUES_NEAR, schemas
from generate.random_schemas import Maker
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contract_test.data.contract import Contract
from contract_test.schema.declared import field_names
from contract_test.scrub.masking import DataScrubber
from contract_test.scrub.pseudonyms import Pseudonyms
from envelopes.validation import compile_schema

REALISTIC = sorted((Path(__file__).parents[1] / "generate" / "realistic").glob("*.json"))


def scrubber_for(schema) -> DataScrubber:
    contract = Contract("t", 1, Path("t/v1.json"), "urn:t", schema, {"urn:t": schema})
    return DataScrubber(contract, Pseudonyms(b"a key for tests"), frozenset(field_names(contract)))


def is_valid(schema, value) -> bool:
    return compile_schema({"urn:t": schema}, "urn:t#").is_valid(value)


def scrubs_to_valid(schema, values, *, most_lost: float = 0.0) -> int:
    plan = scrubber_for(schema)
    validated = lost = 0
    for value in values:
        if is_valid(schema, value):
            made, _ = plan.scrub(value)
            validated += 1
            if not is_valid(schema, made):
                lost += 1
                print(json.dumps(schema), json.dumps(value), json.dumps(made))
    assert lost <= most_lost * validated
    return validated


@pytest.mark.parametrize("seed", range(30))
def test_of_schemas_as_teams_write_them(seed):
    maker = Maker(Random(seed))
    schema = maker.root()
    scrubs_to_valid(schema, [maker.instance(schema) for _ in range(40)])


@pytest.mark.parametrize("path", REALISTIC, ids=lambda path: path.stem)
def test_of_realistic_contracts(path):
    document = json.loads(path.read_text())
    maker = Maker(Random(1))
    near = [maker.mutated(each) for each in document["valid"] for _ in range(60)]
    assert scrubs_to_valid(document["schema"], [*document["valid"], *near]) >= len(document["valid"])


@given(schemas(), st.lists(VALUES_NEAR, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_of_schemas_with_every_keyword(schema, values):
    try:
        is_valid(schema, None)
    except ValueError:
        assume(False)
    scrubs_to_valid(schema, values)


def test_where_two_stand_ins_would_be_one_another_is_found():
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
    letters = [[letter] for letter in "āăąćĉċčďđēĕė"]
    made, masked = scrubber_for({"items": {"items": {"type": "string"}}, "uniqueItems": True}).scrub(letters)
    assert is_valid({"uniqueItems": True}, made)
    assert scrubs_to_valid(schema, [list("āăąćĉċčďđēĕė"), list("ĕėāăą")]) == 2
    assert len(masked) == len(letters)
