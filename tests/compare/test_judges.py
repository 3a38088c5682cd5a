"""What the comparison itself thinks of a value, and what the two validators say that confirm it: never two things."""

import pytest

from contract_test.compare.compiler import Compiler
from contract_test.compare.confirmation import CrossValidator, DoubtError, search
from contract_test.compare.dialects import NEWEST, dialect_of
from contract_test.compare.documents import Document
from contract_test.compare.evaluation import Evaluator
from contract_test.compare.nodes import Pool

LIST = {
    "type": "object",
    "required": ["value"],
    "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/list"}},
}
# schema, values that it accepts, values that it does not
CASES = [
    (True, [None, 1, "a", [], {}], []),
    (False, [], [None, 1, "a", [], {}]),
    ({"type": "integer"}, [1, 1.0, -3], [1.5, True, "1", None]),
    ({"type": ["string", "null"]}, ["", None], [0, False, []]),
    ({"enum": [1, "a", [1]]}, [1, 1.0, "a", [1.0]], [True, "b", [True], [1, 1]]),
    ({"const": {"a": 0}}, [{"a": 0}, {"a": 0.0}], [{"a": False}, {}, 0]),
    ({"minimum": 2}, [2, 2.5, "a"], [1.9, -2]),
    ({"exclusiveMinimum": 2}, [2.1, 3], [2, 2.0]),
    ({"maximum": 2}, [2, -1], [2.1]),
    ({"exclusiveMaximum": 2}, [1.9], [2]),
    ({"multipleOf": 3}, [0, 3, -6, 9.0, "a"], [1, 4.5]),
    ({"multipleOf": 0.5}, [1.5, 2], [0.75]),
    ({"minLength": 2}, ["ab", "\U0001f600\U0001f600", 1], ["a", "\U0001f600", ""]),
    ({"maxLength": 1}, ["", "a", "\U0001f600"], ["ab"]),
    ({"pattern": "^a+$"}, ["a", "aaa", 1], ["", "ab"]),
    ({"pattern": "^(a+)+$"}, ["a" * 40, 1], ["a" * 40 + "b"]),
    ({"prefixItems": [{"type": "string"}, {"type": "integer"}]}, [[], ["a"], ["a", 1, None], "a"], [[1], ["a", "b"]]),
    ({"prefixItems": [True], "items": {"type": "integer"}}, [["a"], ["a", 1]], [["a", "b"], [1, 2, None]]),
    ({"minItems": 1}, [[1], "a"], [[]]),
    ({"maxItems": 1}, [[], [1]], [[1, 2]]),
    ({"contains": {"type": "string"}}, [["a"], [1, "a"], {}], [[], [1]]),
    ({"contains": {"type": "string"}, "minContains": 2, "maxContains": 3}, [["a", 1, "b"], ["a"] * 3], [["a"], ["a"] * 4]),
    ({"contains": {"type": "string"}, "minContains": 0}, [[], [1]], []),
    ({"uniqueItems": True}, [[], [1, "1"], [0, False], [[1], [2]]], [[1, 1.0], [{"a": 1}, {"a": 1}]]),
    ({"required": ["a"]}, [{"a": None}, []], [{}, {"b": 1}]),
    ({"properties": {"a": {"type": "integer"}}}, [{}, {"a": 1}, {"b": "x"}], [{"a": "x"}]),
    (
        {"properties": {"a": True}, "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
        [{"a": None, "x1": 1, "b": "s"}, {}], [{"x1": "s"}, {"b": 1}],
    ),
    ({"patternProperties": {"^x": True}, "additionalProperties": False}, [{"x": 1}, {}], [{"ax": 1}]),
    ({"propertyNames": {"maxLength": 2}}, [{"ab": 1}, {}], [{"abc": 1}, {"a": 1, "abc": 1}]),
    ({"minProperties": 1}, [{"a": 1}, 1], [{}]),
    ({"maxProperties": 1}, [{}, {"a": 1}], [{"a": 1, "b": 1}]),
    ({"dependentRequired": {"a": ["b"]}}, [{}, {"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
    ({"dependentSchemas": {"a": {"minProperties": 2}}}, [{}, {"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
    ({"dependencies": {"a": ["b"]}}, [{}, {"a": 1, "b": 1}], [{"a": 1}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [2, "a"], [0, 4]),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ["a", 3], [2]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5, "a"], [3, 1.5]),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}, {"minimum": 2}]}, [1, None], ["a", 3, 1.5]),
    ({"not": {"type": "string"}}, [1, None], ["a"]),
    ({"not": {"not": {"type": "string"}}}, ["a"], [1]),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}, [{"a": 1, "b": 1}, {"c": 1}], [{"a": 1}, {}]),
    ({"$defs": {"list": LIST}, "$ref": "#/$defs/list"}, [{"value": 1, "next": {"value": 2}}], [{"value": 1, "next": {}}, {"value": "a"}]),
    ({"properties": {"a": True}, "unevaluatedProperties": False}, [{"a": 1}, {}], [{"b": 1}]),
    (
        {"anyOf": [{"required": ["k"], "properties": {"k": True}}, {"properties": {"l": True}}], "unevaluatedProperties": {"type": "null"}},
        [{"k": 1, "l": 1}, {"l": 1, "z": None}, {"k": 1}], [{"z": 1}, {"k": 1, "z": 1}],
    ),
    ({"prefixItems": [True], "contains": {"const": 7}, "unevaluatedItems": False}, [[1, 7], [7]], [[1, 7, 2]]),
    ({"allOf": [{"prefixItems": [True]}, {"contains": {"const": 7}}], "unevaluatedItems": False}, [[1, 7], [7]], [[1, 7, 2], [1]]),
    ({"allOf": [{"prefixItems": [True]}, {"prefixItems": [True, True]}], "unevaluatedItems": False}, [[1, 2], []], [[1, 2, 3]]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "accepted", "refused"), CASES, ids=[str(row[0])[:60] for row in CASES])
def test_all_three_say_the_same_of_every_keyword(schema, accepted, refused):
    pool = Pool()
    node = Compiler(pool, Document(schema, "writer", {}), assert_formats=False).root()
    judge = CrossValidator(schema, resources={}, assert_formats=False)
    for value, expected in [*((each, True) for each in accepted), *((each, False) for each in refused)]:
        assert (judge.first(value), judge.second(value)) == (expected, expected), value
        assert Evaluator(pool).holds(node, value) is expected, value


@pytest.mark.parametrize(
    ("draft", "schema", "accepted", "refused"),
    [
        ("http://json-schema.org/draft-07/schema#", {"dependencies": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
        ("https://json-schema.org/draft/2019-09/schema", {"items": [True], "additionalItems": False}, [1], [1, 2]),
        ("https://json-schema.org/draft/2020-12/schema", {"prefixItems": [True], "items": False}, [1], [1, 2]),
    ],
)
def test_both_validators_read_the_draft_that_the_schema_names(draft, schema, accepted, refused):
    schema = {"$schema": draft, **schema}
    judge = CrossValidator(schema, dialect_of(schema), resources={}, assert_formats=False)
    assert (judge.first(accepted), judge.second(accepted)) == (True, True)
    assert (judge.first(refused), judge.second(refused)) == (False, False)


def test_both_validators_assert_formats_where_they_are_asked_to_and_find_what_is_at_hand():
    for asked in (True, False):
        judge = CrossValidator({"format": "date"}, NEWEST, resources={}, assert_formats=asked)
        assert (judge.first("no date"), judge.second("no date")) == (not asked, not asked)
    judge = CrossValidator({"$ref": "urn:other"}, resources={"urn:other": {"type": "string"}}, assert_formats=False)
    assert [(judge.first(each), judge.second(each)) for each in ("a", 1)] == [(True, True), (False, False)]
    (error,) = judge.errors(1)
    assert error.instance_path == []
    assert judge.errors("a") == []


def test_a_search_that_could_run_away_is_made_by_an_automaton_or_refused():
    assert search("b", "abc")
    assert not search("^b", "abc")
    assert search("^(a+)+$", "a" * 5000)
    assert not search("^(a+)+$", "a" * 5000 + "b")
    assert search("a", "b" * 5000 + "a"), "a long text, too"
    assert search(r"^(a|b)+\1$", "abb"), "what no automaton can follow is searched in a short text only"
    with pytest.raises(DoubtError):
        search(r"^(a|b)+\1$", "ab" * 20)
    with pytest.raises(DoubtError):
        search("(", "a")
