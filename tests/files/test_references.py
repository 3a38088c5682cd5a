"""A `$ref` reaches files below the contracts directory, in whatever way it names them, and no others."""

import json

import pytest

from contract_test.data.errors import SchemaError
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import digest

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
