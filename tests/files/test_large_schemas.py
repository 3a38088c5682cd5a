"""A large schema is refused before much work is done on it, or read."""

import json
import tracemalloc

import pytest
from counted_work import count_work, growth

from contract_test.data.errors import ContractTestError
from contract_test.files.catalog import load_catalog
from contract_test.schema.walk import References

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."a.b"]\nchannel = "c"\n'


SCHEMAS = {
    "chain": lambda size: {
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "$defs": {f"d{each}": {"$ref": f"#/$defs/d{each + 1}"} for each in range(size)} | {f"d{size}": True},
    },
    "references": lambda size: {
        "properties": {f"p{each}": {"$ref": f"#/$defs/d{each}"} for each in range(size)},
        "$defs": {f"d{each}": {"type": "string"} for each in range(size)},
    },
    "nested": lambda size: {
        "$ref": "#/$defs/d0",
        "$defs": {f"d{each}": {"properties": {"x": {"$ref": f"#/$defs/d{each + 1}"}}} for each in range(size)}
        | {f"d{size}": {"type": "string"}},
    },
    "fields": lambda size: {"properties": {f"p{each}": {"maxLength": each} for each in range(size)}},
    "parts": lambda size: {"allOf": [{"properties": {f"p{each}": {"type": "string"}}} for each in range(size)]},
    "alternatives": lambda size: {"oneOf": [{"properties": {"kind": {"const": f"k{each}"}}} for each in range(size)]},
}


@pytest.fixture
def read(tmp_path):
    def read(schema):
        (tmp_path / "a.b").mkdir(exist_ok=True)
        text = schema if isinstance(schema, str) else json.dumps({"type": "object"} | schema)
        (tmp_path / "a.b" / "v1.json").write_text(text)
        (tmp_path / "catalog.toml").write_text(CATALOG)
        return load_catalog(tmp_path)

    return read


@pytest.fixture
def followed(monkeypatch):
    """Count the references that are followed, and the subschemas that are looked up."""
    counts = []
    for name in ("follow", "inside"):
        real = getattr(References, name)
        monkeypatch.setattr(References, name, lambda *args, real=real: counts.append(1) or real(*args))
    return counts


def test_a_list_of_too_many_schemas_is_refused_before_any_is_looked_at(read, followed):
    tracemalloc.start()  # of what Python takes: nothing was given to a validator yet
    with pytest.raises(ContractTestError, match=r"a\.b/v1\.json:/properties/a: applies too many schemas to one value"):
        read({"properties": {"a": {"oneOf": [{"const": f"v{each}"} for each in range(100_000)]}}})
    assert followed == []
    assert tracemalloc.get_traced_memory()[1] < 256_000_000
    tracemalloc.stop()


def test_a_chain_of_too_many_references_is_refused_once_it_is_too_long(read, followed):
    steps = {f"d{each}": {"$ref": f"#/$defs/d{each + 1}"} for each in range(30_000)} | {"d30000": True}
    with pytest.raises(ContractTestError, match="applies too many schemas to one value"):
        read({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": steps})
    assert len(followed) < 100_000


@pytest.mark.parametrize("kind", SCHEMAS)
def test_reading_a_schema_of_twice_the_size_is_twice_the_work(read, kind):
    assert growth(lambda size: count_work(lambda: read(SCHEMAS[kind](size))), 100) < 2.7


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "x" * 1_000_000},
        {"patternProperties": {"^" + "a?b[c-d]" * 20_000: True}},
        {"properties": {f"p{each}": {"pattern": f"^{each}" + "a?b[c-d]" * 120} for each in range(200)}},
    ],
    ids=["pattern", "patternProperties", "many"],
)
def test_patterns_of_too_many_characters_are_refused_before_any_is_compiled(read, schema):
    with pytest.raises(ContractTestError, match=r"the patterns up to here have more than 100,000 characters"):
        read(schema)


def test_a_pattern_that_stands_in_many_places_counts_once(read):
    pattern = "^" + "[a-f]" * 200 + "$"
    assert read({"properties": {f"p{each}": {"pattern": pattern} for each in range(200)}}).contracts


def test_brackets_in_texts_are_no_depth(read):
    pattern = "^" + "a?b[c-d]" * 1000 + "$"
    assert read({"properties": {"a": {"type": "string", "pattern": pattern, "description": '\\"[[' * 500}}}).contracts


def test_a_deep_schema_is_refused(read):
    with pytest.raises(ContractTestError, match="nested deeper than"):
        read('{"properties":{"a":' * 600 + "{}" + "}}" * 600)
