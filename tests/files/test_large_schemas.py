"""A large schema is refused before much work is done on it, or read."""

import json
import tracemalloc

import pytest

from contract_test.data.errors import ContractTestError
from contract_test.files.catalog import load_catalog
from contract_test.schema.walk import References

CATALOG = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."a.b"]\nchannel = "c"\n'


@pytest.fixture
def read(tmp_path):
    def read(schema):
        (tmp_path / "a.b").mkdir()
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
    tracemalloc.start()
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


def test_brackets_in_texts_are_no_depth(read):
    pattern = "^" + "a?b[c-d]" * 1000 + "$"
    assert read({"properties": {"a": {"type": "string", "pattern": pattern, "description": '\\"[[' * 500}}}).contracts


def test_a_deep_schema_is_refused(read):
    with pytest.raises(ContractTestError, match="nested deeper than"):
        read('{"properties":{"a":' * 600 + "{}" + "}}" * 600)
