"""What a schema costs grows with its size, and not with the square of it."""

import json

import pytest
from counted_work import count_work, growth, let_time_pass_by_looking

from contract_test import compare
from contract_test.lint.contracts import lint

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."a.b"]\nchannel = "c"\n'
SCHEMAS = {
    "constants": lambda size: {"properties": {"a": {"oneOf": [{"const": f"v{each}"} for each in range(size)]}}},
    "texts": lambda size: {"properties": {"a": {"enum": [f"v{each}" for each in range(size)]}}},
    "tagged": lambda size: {
        "oneOf": [
            {"required": ["kind"], "properties": {"kind": {"const": f"k{each}"}, f"f{each}": {"type": "string"}}}
            for each in range(size)
        ]
    },
    "conditions": lambda size: {
        "allOf": [
            {"if": {"properties": {"k": {"const": each}}}, "then": {"properties": {f"p{each}": {"type": "string"}}}}
            for each in range(size)
        ]
    },
    "dependent": lambda size: {
        "dependentSchemas": {f"p{each}": {"properties": {f"q{each}": {"minLength": 1}}} for each in range(size)}
    },
    "patterns": lambda size: {"patternProperties": {f"^p{each}x": {"type": "string"} for each in range(size)}},
    "pattern": lambda size: {"properties": {"a": {"type": "string", "pattern": "^" + "a?b[c-d]" * size + "$"}}},
    "length": lambda size: {"properties": {"a": {"type": "string", "maxLength": 2147483647 - size}}},
}
SIZE = 30
SIZES = {"constants": 60, "conditions": 10, "pattern": 200}
LIMIT = 2.7  # between linear work, 2, and quadratic, 4: sets and memories grow in steps


@pytest.mark.parametrize("kind", SCHEMAS)
def test_linting_a_schema_of_twice_the_size_is_twice_the_work(tmp_path, monkeypatch, kind):
    (tmp_path / "a.b").mkdir()
    (tmp_path / "catalog.toml").write_text(CATALOG)

    def work_of(size):
        schema = {"type": "object"} | SCHEMAS[kind](size)
        (tmp_path / "a.b" / "v1.json").write_text(json.dumps(schema))
        let_time_pass_by_looking(monkeypatch)
        return count_work(lambda: lint(tmp_path))

    work_of(1)  # which imports, and compiles what every schema needs
    assert growth(work_of, SIZES.get(kind, SIZE)) < LIMIT


@pytest.mark.parametrize("kind", ["constants", "tagged", "dependent"])
def test_comparing_a_schema_of_twice_the_size_is_twice_the_work(monkeypatch, kind):
    def work_of(size):
        schema = {"type": "object"} | SCHEMAS[kind](size)
        let_time_pass_by_looking(monkeypatch)
        return count_work(lambda: compare(writer=schema, reader=schema | {"required": ["z"]}))

    work_of(1)
    assert growth(work_of, SIZES.get(kind, SIZE)) < LIMIT


@pytest.mark.parametrize(("lengths", "found"), [([99, 99], 2), ([1000] * 9 + [975], 1)])
def test_ten_thousand_characters_of_patterns_are_checked_for_forms_of_secrets(tmp_path, lengths, found):
    (tmp_path / "a.b").mkdir()
    (tmp_path / "catalog.toml").write_text(CATALOG)
    others = [f"{number:04}".ljust(length, "a") for number, length in enumerate(lengths)]
    patterns = ["^AKIA[A-Z2-7]{16}$", *others, "^AKIA[A-Z3-7]{16}$"]
    schema = {"properties": {f"p{each}": {"type": "string", "pattern": text} for each, text in enumerate(patterns)}}
    (tmp_path / "a.b" / "v1.json").write_text(json.dumps({"type": "object"} | schema))

    assert [each.rule for each in lint(tmp_path)].count("pattern-of-secrets") == found
