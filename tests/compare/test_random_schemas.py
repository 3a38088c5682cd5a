"""Verdicts on the random schemas that value objects are tested with: a "compatible" survives 1,000 messages of the writer.

`COMPARE_PAIRS=2000 pytest tests/compare/test_random_schemas.py` looks further.
"""

import copy
import os
import random

import jsonschema
import jsonschema_rs
import pytest
from compare.schemas import compare_as_written as compare
from generate.random_schemas import Maker

PAIRS = int(os.environ.get("COMPARE_PAIRS", "60"))
MESSAGES = 1000


def changed(schema, rng):
    """The schema after one small change, of the kinds that people make."""
    schema = copy.deepcopy(schema)
    if "properties" not in schema:
        return schema
    name = rng.choice(list(schema["properties"]))
    change = rng.randrange(6)
    if change == 0:
        schema["required"] = [each for each in schema.get("required", []) if each != name]
    elif change == 1:
        schema["required"] = sorted({*schema.get("required", []), name})
    elif change == 2:
        schema["properties"][name] = True
    elif change == 3:
        schema["properties"][name] = {"anyOf": [schema["properties"][name], {"type": "null"}]}
    elif change == 4:
        schema["properties"]["added"] = {"type": "string"}
    return schema


@pytest.mark.parametrize("seed", range(PAIRS))
def test_a_verdict_is_borne_out_by_a_thousand_messages(seed):
    maker = Maker(random.Random(seed))
    writer = maker.root()
    reader = changed(writer, maker.random)
    verdict = compare(writer, reader)
    sends, reads = jsonschema_rs.validator_for(writer), jsonschema_rs.validator_for(reader)
    if verdict.status == "incompatible":
        assert sends.is_valid(verdict.witness)
        assert not reads.is_valid(verdict.witness)
        assert jsonschema.Draft202012Validator(writer).is_valid(verdict.witness)
        assert not jsonschema.Draft202012Validator(reader).is_valid(verdict.witness)
        assert verdict.incompatibilities
        return
    assert verdict.status == "compatible", verdict.cause
    for number in range(MESSAGES):
        message = maker.instance(writer)
        if number % 2:
            message = maker.mutated(message)
        assert reads.is_valid(message) or not sends.is_valid(message), message


def test_both_verdicts_are_among_the_pairs():
    statuses = set()
    for seed in range(30):
        maker = Maker(random.Random(seed))
        writer = maker.root()
        statuses.add(compare(writer, changed(writer, maker.random)).status)
    assert statuses == {"compatible", "incompatible"}
