"""What must hold of every pair of schemas. `COMPARE_EXAMPLES=20000 pytest tests/compare` looks further."""

import os

import jsonschema
import jsonschema_rs
from compare.schemas import VALUES_NEAR, schemas
from compare.schemas import compare_as_written as compare
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from contract_test.compare.compiler import Compiler
from contract_test.compare.documents import Document, UnusableSchemaError
from contract_test.compare.evaluation import Evaluator
from contract_test.compare.nodes import Pool

EXAMPLES = int(os.environ.get("COMPARE_EXAMPLES", "150"))
often = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="COMPARE_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
samples = st.lists(VALUES_NEAR, min_size=40, max_size=80)


def validator(schema):
    return jsonschema_rs.validator_for(schema, offline=True)


@seed(1)
@often
@given(schemas(), VALUES_NEAR)
def test_a_node_means_what_its_schema_means(schema, value):
    pool = Pool()
    try:
        node = Compiler(pool, Document(schema, "writer", {}), assert_formats=False).root()
    except UnusableSchemaError:
        assume(False)

    known = Evaluator(pool).holds(node, value)
    assert known is None or known == validator(schema).is_valid(value)


@seed(2)
@often
@given(schemas(), schemas(), samples)
def test_a_verdict_survives_samples(writer, reader, values):
    verdict = compare(writer=writer, reader=reader)

    sent, read = validator(writer), validator(reader)
    if verdict.status == "compatible":
        assert [value for value in values if sent.is_valid(value) and not read.is_valid(value)] == []
    if verdict.status == "incompatible":
        assert sent.is_valid(verdict.witness)
        assert not read.is_valid(verdict.witness)
        assert jsonschema.Draft202012Validator(writer).is_valid(verdict.witness)
        assert not jsonschema.Draft202012Validator(reader).is_valid(verdict.witness)
        assert verdict.incompatibilities


@seed(3)
@often
@given(schemas())
def test_every_schema_is_compatible_with_itself_and_its_like(schema):
    assert compare(writer=schema, reader=schema).status == "compatible"
    assert (
        compare(writer=schema, reader={"allOf": [schema], "$defs": {"x": {}} | _defs(schema)}).status != "incompatible"
    )


@seed(4)
@often
@given(schemas(), schemas())
def test_what_all_of_both_accept_each_accepts(one, other):
    one, other = (schema if isinstance(schema, dict) else {"allOf": [schema]} for schema in (one, other))
    both = {"allOf": [_without_defs(one), _without_defs(other)], "$defs": _defs(one)}
    assume(_defs(one) == _defs(other) or "$ref" not in str(other))

    assert compare(writer=both, reader=one).status != "incompatible"


@seed(5)
@often
@given(schemas(), schemas(), schemas())
def test_compatibility_is_transitive(one, two, three):
    first, second = compare(writer=one, reader=two).status, compare(writer=two, reader=three).status
    if first == second == "compatible":
        assert compare(writer=one, reader=three).status != "incompatible"


def _defs(schema):
    return schema.get("$defs", {}) if isinstance(schema, dict) else {}


def _without_defs(schema):
    return {keyword: value for keyword, value in schema.items() if keyword != "$defs"}
