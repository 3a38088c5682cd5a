"""A `$ref` reaches files below the contracts directory, in whatever way it names them, and no others."""

import json

import pytest

from contract_test.data.errors import CatalogError, SchemaError
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import digest
from envelopes.validation import compile_schema

ADDRESS = {"type": "object", "properties": {"city": {"type": "string"}}}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def contracts(tmp_path):
    """A function that makes contracts whose only version refers to something."""

    def make(reference, root=None, **more):
        root = root or tmp_path / "my contracts"
        write(root / "shared" / "post address.json", {"$defs": {"address": ADDRESS}, **ADDRESS})
        write(root / "order.placed" / "v1.json", {"type": "object", "properties": {"to": {"$ref": reference}}, **more})
        return root

    return make


def loaded(root):
    (contract,) = load_catalog(root).contracts
    return contract


@pytest.mark.parametrize(
    "form",
    [
        "{uri}/shared/post%20address.json",
        "{uri}/shared/post%20address.json#/$defs/address",
        "{uri}/order.placed/../shared/post%20address.json",
        "{uri}/shared/%70ost%20address.json",
        "file://localhost{path}/shared/post%20address.json",
        "file:{path}/shared/post%20address.json",
        "FILE://{path}/shared/post%20address.json",
        "../shared/post%20address.json",
        "../shared/post address.json",
        "../shared/%70ost%20address.json#/%24defs/address",
    ],
)
def test_a_file_below_the_contracts_directory_is_reached(contracts, tmp_path, form):
    root = tmp_path / "my contracts"
    contract = loaded(contracts(form.format(uri=root.as_uri(), path=root.as_uri().removeprefix("file://"))))
    assert any(each.get("properties") == ADDRESS["properties"] for each in contract.resources.values())
    assert str(tmp_path) not in json.dumps(dict(contract.resources)), "a contract is the same on every machine"


def test_both_ways_of_naming_a_file_are_one_contract(contracts, tmp_path):
    first = digest(loaded(contracts("../shared/post%20address.json")))
    root = tmp_path / "my contracts"
    assert digest(loaded(contracts(f"{root.as_uri()}/shared/post%20address.json"))) == first


def test_a_directory_behind_a_link_is_the_same_directory(contracts, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "my contracts")
    contracts(f"{(tmp_path / 'link').as_uri()}/shared/post%20address.json")
    assert len(loaded(tmp_path / "my contracts").resources) == 2
    assert len(loaded(tmp_path / "link").resources) == 2


def test_an_id_that_is_a_file_uri_is_the_base_of_relative_references(contracts):
    root = contracts("../shared/post%20address.json", **{"$id": "file:///schemas/order.placed/v1.json"})
    assert len(loaded(root).resources) == 2


def test_a_shared_file_may_refer_back_by_its_place(contracts, tmp_path):
    root = contracts(f"{(tmp_path / 'my contracts').as_uri()}/shared/tree.json")
    back = f"{root.as_uri()}/order.placed/v1.json"
    write(root / "shared" / "tree.json", {"properties": {"order": {"$ref": back}}})
    assert len(loaded(root).resources) == 2


@pytest.mark.parametrize(
    "form",
    [
        "{outside}",
        "{uri}/../outside.json",
        "{uri}/shared/../../outside.json",
        "{uri}/%2e%2e/outside.json",
        "{uri}/shared/..%2f..%2foutside.json",
        "{uri}/link.json",
        "{uri}/folder/outside.json",
        "../link.json",
        "../folder/outside.json",
        "../../outside.json",
        "..%2f..%2foutside.json",
        "file://host{path}/shared/post%20address.json",
        "file://host/shared/post%20address.json",
        "file:///etc/passwd",
        "file:shared/post%20address.json",
        "file:///",
        "file://",
        "{uri}",
        "{uri}/shared/post%20address.json%00",
        "{uri}/shared/none.json",
        "a" * 5000,
        "{uri}/" + "a" * 5000,
        "b/" * 5000,
    ],
)
def test_nothing_else_is_read(contracts, tmp_path, form):
    write(tmp_path / "outside.json", ADDRESS)
    root = tmp_path / "my contracts"
    reference = form.format(
        uri=root.as_uri(), path=root.as_uri().removeprefix("file://"), outside=(tmp_path / "outside.json").as_uri()
    )
    contracts(reference)
    (root / "link.json").symlink_to(tmp_path / "outside.json")
    (root / "folder").symlink_to(tmp_path)
    with pytest.raises(SchemaError) as error:
        load_catalog(root)
    assert "contracts directory" in str(error.value)


def test_a_neighbour_of_an_id_is_not_looked_for_outside(contracts, tmp_path):
    write(tmp_path / "outside.json", ADDRESS)
    root = contracts("../../outside.json", **{"$id": "file:///a/b/order.placed/v1.json"})
    with pytest.raises(SchemaError):
        load_catalog(root)


def accepts(root, subject="order.placed"):
    contract = next(each for each in load_catalog(root).contracts if each.subject == subject)
    return compile_schema(contract.resources, f"{contract.uri}#").is_valid


@pytest.mark.parametrize(
    "identifier",
    [
        "v1.json",
        "/order.placed/v1.json",
        "order",
        "/order",
        "schemas/order.json",
        "https://acme.example/events/order.json",
    ],
)
def test_a_relative_id_is_relative_to_its_file(tmp_path, identifier):
    order = {"$id": identifier, "properties": {"to": {"$ref": "../shared/address.json"}}}
    write(tmp_path / "order.placed" / "v1.json", order)
    write(tmp_path / "shared" / "address.json", {"$id": "address.json", **ADDRESS})
    is_valid = accepts(tmp_path)
    assert is_valid({"to": {"city": "Kiruna"}})
    assert not is_valid({"to": {"city": 7}})


def test_a_reference_finds_the_file_that_declares_its_relative_id(tmp_path):
    order = {"$id": "/events/order", "properties": {"to": {"$ref": "/types/address#/properties/city"}}}
    write(tmp_path / "order.placed" / "v1.json", order)
    write(tmp_path / "shared" / "address.json", {"$id": "/types/address", **ADDRESS})
    is_valid = accepts(tmp_path)
    assert is_valid({"to": "Kiruna"})
    assert not is_valid({"to": 7})


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("a/b", "a~1b"),
        ("a~b", "a~0b"),
        ("a%b", "a%25b"),
        ("a/b", "a%7E1b"),
        ("~1", "~01"),
        ('"', "%22"),
        ("ä b", "%C3%A4%20b"),
    ],
)
def test_pointers_are_read_as_rfc_6901_says(tmp_path, name, step):
    order = {"properties": {"to": {"$ref": f"#/$defs/{step}"}}, "$defs": {name: {"type": "integer"}}}
    write(tmp_path / "order.placed" / "v1.json", order)
    is_valid = accepts(tmp_path)
    assert is_valid({"to": 7})
    assert not is_valid({"to": "7"})


@pytest.mark.parametrize(("draft", "keyword"), [("04", "id"), ("06", "$id"), ("07", "$id")])
def test_an_id_of_a_fragment_alone_is_a_name(tmp_path, draft, keyword):
    dialect = f"http://json-schema.org/draft-{draft}/schema#"
    definitions = {"Address": {keyword: "#address", "type": "integer"}}
    order = {
        "properties": {"to": {"$ref": "#address"}, "by": {"$ref": "../shared.json#address"}},
        "definitions": definitions,
    }
    write(tmp_path / "order.placed" / "v1.json", {"$schema": dialect, **order})
    write(tmp_path / "shared.json", {"$schema": dialect, "definitions": definitions})
    is_valid = accepts(tmp_path)
    assert is_valid({"to": 1, "by": 1})
    assert not is_valid({"to": "1"})
    assert not is_valid({"by": "1"})


REGISTRY = {
    "openapi": "3.0.0",
    "components": {
        "schemas": {
            "Event": {"type": "object", "properties": {"at": {"$ref": "#/components/schemas/Place"}}},
            "Place": {"type": "object", "properties": {"city": {"$ref": "city.json#/types/City"}}},
        }
    },
}


def test_references_are_followed_below_names_that_are_no_keywords(tmp_path):
    write(tmp_path / "order.placed" / "v1.json", {"$ref": "../shared/registry.json#/components/schemas/Event"})
    write(tmp_path / "order.changed" / "v1.json", REGISTRY | {"$ref": "#/components/schemas/Event"})
    write(tmp_path / "shared" / "registry.json", REGISTRY)
    for folder in ("shared", "order.changed"):
        write(tmp_path / folder / "city.json", {"types": {"City": {"type": "string"}}})
    for subject in ("order.placed", "order.changed"):
        is_valid = accepts(tmp_path, subject)
        assert is_valid({"at": {"city": "Kiruna"}})
        assert not is_valid({"at": {"city": 7}})


def test_a_reference_of_draft_04_is_a_keyword(tmp_path):
    from contract_test.lint.contracts import lint

    dialect = "http://json-schema.org/draft-04/schema#"
    definitions = {"Address": {"type": "object", "properties": {"city": {"type": "string"}}}}
    order = {"type": "object", "properties": {"to": {"$ref": "#/definitions/Address", "description": "to whom"}}}
    write(tmp_path / "order.placed" / "v1.json", {"$schema": dialect, **order, "definitions": definitions})
    write(
        tmp_path / "order.changed" / "v1.json",
        {"$schema": dialect, "$ref": "#/definitions/Address", "definitions": definitions},
    )
    assert not [finding for finding in lint(tmp_path) if finding.rule in ("unknown-keyword", "schema-invalid")]
    assert not accepts(tmp_path, "order.changed")({"city": 7})


def test_a_dynamic_reference_means_what_it_means_in_the_file(tmp_path):
    order = {
        "$id": "https://acme.example/root",
        "$ref": "list",
        "$defs": {
            "text": {"$dynamicAnchor": "item", "type": "string"},
            "list": {
                "$id": "list",
                "type": "array",
                "items": {"$dynamicRef": "#item"},
                "$defs": {"any": {"$dynamicAnchor": "item"}},
            },
        },
    }
    write(tmp_path / "order.placed" / "v1.json", order)
    is_valid = accepts(tmp_path)
    assert is_valid(["a", "b"])
    assert not is_valid(["a", 7])


def test_a_teams_own_dialect_is_the_draft_that_the_catalog_declares(tmp_path):
    order = {"$schema": "https://acme.example/dialect#", "properties": {"pair": {"items": [{"type": "integer"}]}}}
    write(tmp_path / "order.placed" / "v1.json", order)
    with pytest.raises(SchemaError, match="dialects"):
        load_catalog(tmp_path)
    catalog = tmp_path / "catalog.toml"
    catalog.write_text('[dialects]\n"https://acme.example/dialect" = "draft-07"\n')
    is_valid = accepts(tmp_path)
    assert is_valid({"pair": [7]})
    assert not is_valid({"pair": ["7"]})
    for broken in (
        '"https://acme.example/dialect" = "draft-08"',
        '"http://json-schema.org/draft-07/schema#" = "draft-04"',
    ):
        catalog.write_text(f"[dialects]\n{broken}\n")
        with pytest.raises(CatalogError, match="draft"):
            load_catalog(tmp_path)
