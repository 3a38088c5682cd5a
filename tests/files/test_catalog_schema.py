"""The JSON Schema of the catalog accepts a catalog exactly if reading it does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
import tomli_w
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contract_test.cli import asyncapi, infer, init, lint
from contract_test.data.errors import CatalogError
from contract_test.files.catalog import TABLES, load_catalog
from contract_test.files.catalog_schema import begin_catalog, is_stale, schema_of_catalog

SCHEMA = jsonschema_rs.validator_for(schema_of_catalog())
CONTRACTS = Path(__file__).parents[2] / "contracts"
CHANNEL = {"protocol": "kafka", "address": "c", "codec": "json"}
VALUES = st.one_of(
    st.sampled_from(
        ["", "c", "kafka", "redis-list", "json", "cloudevents", "binary", "/id", "/a~1b", "/a~2", "id", "ID", "P7D", "PT2H", "P", "PT",
         "P1M", "7d", "allow", "reject", "FULL", "full", "exactly-once", "draft-07", "draft-7", "string"]
    ),
    st.booleans(),
    st.integers(-1, 2**33),
    st.just(1.5),
    st.lists(st.sampled_from(["c", "", "d", 1]), max_size=2),
    st.dictionaries(st.sampled_from(["1", "x", "hops", "Hops", "٣", ""]), st.sampled_from(["string", "", "date", 1, -1, 2**32, True]), max_size=2),
)  # fmt: skip


def tables_of(section: str) -> st.SearchStrategy:
    keys = [*TABLES[section], "other"]
    table = st.dictionaries(st.sampled_from(keys), VALUES, max_size=3)
    if section == "generate":
        return table
    name = {"channels": "c", "subjects": "s", "services": "w", "owners": "o"}[section]
    given_keys = CHANNEL if section == "channels" else {}
    return st.builds(
        lambda table, given: {name: {**(given_keys if given else {}), **table}}, table, st.booleans()
    ) | st.just(7)


def accepted(root: Path, catalog: dict) -> bool:
    """Return whether reading accepts a catalog. What refers to another table is beyond a schema, and not looked at."""
    (root / "catalog.toml").write_text(tomli_w.dumps(catalog))
    (root / "s").mkdir(exist_ok=True)
    (root / "s" / "v1.json").write_text("{}")
    try:
        load_catalog(root)
    except CatalogError as error:
        assume(not error.problem.startswith(("no channel ", "sends_undeclared names", "the channel ")))
        return False
    return True


@pytest.mark.parametrize("section", TABLES)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_the_schema_accepts_what_reading_accepts(tmp_path, section, data):
    catalog = {section: data.draw(tables_of(section))}
    if section == "subjects":
        catalog["channels"] = {"c": CHANNEL, "d": CHANNEL}

    assert SCHEMA.is_valid(catalog) == accepted(tmp_path, catalog), catalog


def test_an_unknown_section_is_refused_by_both(tmp_path):
    assert not accepted(tmp_path, {"chanels": {}})
    assert not SCHEMA.is_valid({"chanels": {}})


def test_the_reference_catalog_names_its_schema_and_satisfies_it():
    printed = CliRunner().invoke(lint.command, ["--catalog-schema"], standalone_mode=False).stdout

    text = (CONTRACTS / "catalog.toml").read_text()
    assert json.loads(printed) == schema_of_catalog()
    assert SCHEMA.is_valid(tomllib.loads(text))
    assert printed == (CONTRACTS / named_in(text)).read_text()


def named_in(catalog: str) -> str:
    """Return the file that the first line of a catalog names, as editors read it."""
    return catalog.splitlines()[0].removeprefix("#:schema ./")


SHOP = {
    "asyncapi": "3.0.0",
    "info": {"title": "shop", "version": "1"},
    "channels": {"orders": {"address": "orders", "messages": {"order.placed": {"payload": {"type": "object"}}}}},
}


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (init, ["--package", "acme_envelopes"]),
        (infer, ["traffic.jsonl", "--subject", "order.placed", "--sent-by", "shop", "--write"]),
        (asyncapi, ["import", "shop.json", "--write"]),
    ],
    ids=["init", "infer", "asyncapi-import"],
)
def test_a_catalog_that_a_command_begins_names_its_schema(tmp_path, monkeypatch, module, arguments):
    monkeypatch.chdir(tmp_path)
    if module is not init:
        Path("traffic.jsonl").write_text('{"id": 1}\n' * 40)
        Path("shop.json").write_text(json.dumps(SHOP))
    done = CliRunner().invoke(module.command, arguments, standalone_mode=False)
    assert done.exit_code == 0, (done.output, done.exception)
    catalog = Path("contracts/catalog.toml").read_text()
    assert Path("contracts", named_in(catalog)).read_text() == json.dumps(schema_of_catalog(), indent=2) + "\n"
    assert SCHEMA.is_valid(tomllib.loads(catalog))


def test_an_outdated_schema_is_a_hint_of_lint(tmp_path):
    assert begin_catalog(tmp_path) == [tmp_path / "catalog.schema.json"]
    assert not is_stale(tmp_path)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "v1.json").write_text("{}")
    (tmp_path / "catalog.schema.json").write_text("{}")
    done = CliRunner().invoke(lint.command, ["--contracts", str(tmp_path)], standalone_mode=False)
    assert "catalog.schema.json is of another version of contract-test. Write it again: contract-test" in done.stderr
