"""A file that several contracts refer to is followed once, and each contract gets what it would get alone."""

import json
from itertools import permutations

import pytest

from contract_test.data.errors import SchemaError
from contract_test.files.closure import follow_whole
from contract_test.files.schema_references import OncePerDocument
from contract_test.files.schemas import SchemaFiles
from contract_test.schema.walk import draft_of

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
COMMON = "https://contracts.invalid/common.json"


def write(root, files):
    for name, schema in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(json.dumps(schema))


def refers_to(*targets, **more):
    return {"properties": {f"p{number}": {"$ref": target} for number, target in enumerate(targets)}, **more}


SETS = {
    "a file of definitions": {
        "common.json": {"$defs": {"a": {"type": "string"}, "b": refers_to("#/$defs/a")}},
        "one/v1.json": refers_to("../common.json#/$defs/a"),
        "two/v1.json": refers_to("../common.json#/$defs/b", "../common.json#/$defs/a"),
    },
    "a circle of files": {
        "common.json": {"$defs": {"a": refers_to("other.json")}},
        "other.json": refers_to("common.json#/$defs/a", "last.json"),
        "last.json": {"type": "string"},
        "one/v1.json": refers_to("../common.json#/$defs/a"),
        "two/v1.json": refers_to("../last.json", "../other.json"),
        "three/v1.json": refers_to("../one/v1.json", "../other.json"),
    },
    "names that are no keywords": {
        "common.json": {"components": {"a": {"type": "string"}, "b": refers_to("#/components/a", "other.json")}},
        "other.json": {"x": {"y": refers_to("common.json#/components/a")}},
        "one/v1.json": refers_to("../common.json#/components/a"),
        "two/v1.json": refers_to("../common.json#/components/b", "../other.json#/x/y"),
    },
    "identifiers": {
        "common.json": {"$id": "https://x.example/common.json", "$defs": {"a": refers_to("one/v1.json")}},
        "one/v1.json": {"$id": "https://x.example/one/v1.json", "type": "object"},
        "two/v1.json": refers_to("https://x.example/common.json#/$defs/a", **{"$id": "https://x.example/two/v1.json"}),
        "three/v1.json": refers_to("../common.json#/$defs/a", **{"$id": "https://x.example/one/v1.json"}),
    },
    "dynamic references": {
        "common.json": {"$dynamicAnchor": "node", "properties": {"next": {"$dynamicRef": "#node"}}},
        "one/v1.json": {"$dynamicAnchor": "node", "$ref": "../common.json", "type": "object"},
        "two/v1.json": refers_to("../common.json", **{"$id": "https://x.example/two/v1.json"}),
    },
    "pointers that only one contract uses": {
        "common.json": {"$defs": {"a": {"type": "string"}}, "components": {"b": refers_to("other.json")}},
        "middle.json": refers_to("common.json#/components/b"),
        "other.json": {"type": "string"},
        "one/v1.json": refers_to("../common.json#/$defs/a", "../middle.json"),
        "two/v1.json": refers_to("../common.json#/$defs/a"),
    },
    "a file that is read in the dialect of the contract": {
        "common.json": {
            "$defs": {"a": {"$ref": "#/$defs/b", "allOf": [{"$ref": "#/$defs/a"}]}, "b": {"type": "string"}}
        },
        "one/v1.json": refers_to("../common.json#/$defs/a", **{"$schema": DRAFT_07}),
    },
}


@pytest.mark.parametrize("files", SETS.values(), ids=SETS.keys())
def test_a_contract_is_the_same_as_if_all_of_it_were_followed_for_it_alone(tmp_path, files):
    write(tmp_path, files)
    paths = [tmp_path / name for name in files if "/" in name]
    alone = {path: json.dumps(followed_alone(tmp_path, path)) for path in paths}
    for order in permutations(paths):
        together = SchemaFiles(tmp_path)
        assert {path: json.dumps(together.reach(path)) for path in order} == alone


def followed_alone(root, path):
    files = SchemaFiles(root)
    uri = files.uri_of(path)
    closure, _ = follow_whole(files, uri, path, draft_of(files.read(path)), OncePerDocument())
    return closure.in_order(uri)


def test_contracts_share_what_they_refer_to(tmp_path):
    write(tmp_path, SETS["a file of definitions"])
    files = SchemaFiles(tmp_path)
    one, two = (files.reach(tmp_path / name / "v1.json") for name in ("one", "two"))
    assert one[COMMON] is two[COMMON]


def test_contracts_share_a_file_whose_schemas_are_below_names_that_are_no_keywords(tmp_path):
    schemas = {
        "A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"properties": {"a": {"$ref": "#/components/schemas/A"}}},
        "C": {"properties": {"a": {"$ref": "#/components/schemas/A"}}},
    }
    paths = {name: f"{name.lower()}/v1.json" for name in schemas}
    write(
        tmp_path,
        {"common.json": {"components": {"schemas": schemas}}}
        | {path: refers_to(f"../common.json#/components/schemas/{name}") for name, path in paths.items()},
    )
    files = SchemaFiles(tmp_path)
    a, b, c = (files.reach(tmp_path / path) for path in paths.values())
    assert a[COMMON] is b[COMMON]
    assert c[COMMON] is not a[COMMON]
    assert [json.dumps(each) for each in (a, b, c)] == [
        json.dumps(followed_alone(tmp_path, tmp_path / path)) for path in paths.values()
    ]


def test_each_contract_that_refers_to_a_broken_file_is_told_so(tmp_path):
    write(
        tmp_path,
        {
            "common.json": {"$defs": {"a": refers_to("nowhere.json"), "b": {"type": "string"}}},
            "one/v1.json": refers_to("../common.json#/$defs/a"),
            "two/v1.json": refers_to("../common.json#/$defs/b"),
        },
    )
    files = SchemaFiles(tmp_path)
    for name in ("one", "two"):
        with pytest.raises(SchemaError, match=r"'nowhere.json' finds no file") as caught:
            files.reach(tmp_path / name / "v1.json")
        assert caught.value.place == f"{tmp_path / 'common.json'}:/$defs/a/properties/p0/$ref"


def test_a_schema_that_applies_itself_through_a_shared_file_is_refused(tmp_path):
    write(
        tmp_path,
        {
            "common.json": {"$defs": {"a": {"allOf": [{"$ref": "one/v1.json"}]}}},
            "one/v1.json": {"anyOf": [{"$ref": "../common.json#/$defs/a"}]},
            "two/v1.json": refers_to("../common.json#/$defs/a"),
        },
    )
    files = SchemaFiles(tmp_path)
    for name in ("two", "one"):
        with pytest.raises(SchemaError, match="applies itself to the same value for ever"):
            files.reach(tmp_path / name / "v1.json")
