"""Names of subjects, draft-07 forms, and the rows that a registry adds to the catalog."""

import json
import tomllib

import pytest
from registry.conftest import DRAFT, order

from contract_test.compare import compare
from contract_test.data.contract import Channel, Subject
from contract_test.data.errors import SchemaError
from contract_test.registry.catalog_rows import write_rows, write_schema_ids
from contract_test.registry.draft_07 import DRAFT_07, draft_07_form
from contract_test.registry.naming import directory_name, registry_names, topic_and_record

ORDERS, RETURNS = (Channel(name, "kafka", name, "confluent") for name in ("orders", "returns"))


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        ("topic", ("orders-value", "returns-value")),
        ("record", ("order.placed",)),
        ("topic-record", ("orders-order.placed", "returns-order.placed")),
    ],
)
def test_a_subject_is_named_as_confluents_strategies_name_it(naming, names):
    assert registry_names(Subject("order.placed", {}, (ORDERS, RETURNS)), naming) == names


def test_a_type_is_the_name_of_the_record():
    subject = Subject("order.placed", {}, (ORDERS,), type="com.acme.OrderPlaced")
    assert registry_names(subject, "topic-record") == ("orders-com.acme.OrderPlaced",)
    assert registry_names(Subject("address", {}), "topic") == ("address",)


@pytest.mark.parametrize(
    ("name", "naming", "title", "expected"),
    [
        ("orders-value", "topic", None, ("orders", "orders")),
        ("orders-key", "topic", None, None),
        ("orders", "topic", None, None),
        ("a-b-order-placed", "topic-record", "order-placed", ("a-b", "order-placed")),
        ("a-b-order", "topic-record", "An order", ("a-b", "order")),
        ("orders", "topic-record", "orders", None),
        ("order.placed", "record", None, ("", "order.placed")),
    ],
)
def test_a_registered_name_is_taken_apart(name, naming, title, expected):
    assert topic_and_record(name, naming, title) == expected


@pytest.mark.parametrize(
    ("record", "directory"),
    [
        ("order.placed", "order.placed"),
        ("com.acme.OrderPlaced", "com.acme.order.placed"),
        ("Order Placed", "order.placed"),
        ("../../etc/passwd", "etc.passwd"),
        ("none", "none.sent"),
        ("..", None),
        ("", None),
        ("ключ", None),
        ("a" * 200, None),
    ],
)
def test_a_record_gets_a_directory(record, directory):
    assert directory_name(record) == directory


@pytest.mark.parametrize(
    "schema",
    [
        order("count"),
        {"$schema": DRAFT, "$defs": {"a": {"type": "integer"}}, "properties": {"$defs": {"$ref": "#/$defs/a"}}},
        {
            "$schema": DRAFT,
            "$defs": {"a": {"type": "integer"}},
            "properties": {"b": {"$ref": "#/$defs/a", "minimum": 3}},
        },
        {"$schema": DRAFT, "properties": {"a": {"prefixItems": [{"type": "string"}], "items": False}}},
        {"$schema": DRAFT, "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
        {
            "$schema": DRAFT,
            "properties": {"a": {"const": {"$defs": 1, "prefixItems": []}}, "b": {"enum": [{"$ref": "x"}]}},
        },
    ],
)
def test_a_draft_07_form_accepts_the_same_messages(schema):
    form = draft_07_form(schema, "order.placed v1")
    assert form["$schema"] == DRAFT_07
    assert not {"prefixItems", "$defs", "dependentRequired"} & form.keys()
    for writer, reader in ((schema, form), (form, schema)):
        assert compare(writer, reader, content_model="as-written").status == "compatible"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$schema": DRAFT, "unevaluatedProperties": False}, "draft-07 has no unevaluatedProperties"),
        ({"$schema": DRAFT, "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": True}}, "one name twice"),
        (
            {
                "$schema": DRAFT,
                "properties": {
                    "a": {"prefixItems": [{"type": "string"}]},
                    "b": {"$ref": "#/properties/a/prefixItems/0"},
                },
            },
            "",
        ),
    ],
)
def test_without_an_equal_form_nothing_is_pushed_in_its_place(schema, why):
    with pytest.raises(SchemaError, match="no equal draft-07 form is known") as refused:
        draft_07_form(schema, "order.placed v1")
    assert why in str(refused.value)
    assert "--set-mode NONE" in str(refused.value)


@pytest.mark.parametrize(
    "before",
    [
        "",
        '# first\n[subjects."order.placed"] # why\nkey = "/order_id"   # the key\nschema_ids = { 1 = 4 } # by hand\n',
        '[subjects]\n"order.placed" = { schema_ids = { 1 = 4 } }\n',
        '[subjects."order.placed".schema_ids]\n1 = 4\n\n[channels.a]\nprotocol = "kafka"\n',
        '[subjects."order.placed"]\r\nkey = "/id"\r\n',
    ],
)
def test_ids_are_added_and_all_else_stays(before, tmp_path):
    path = tmp_path / "catalog.toml"
    path.write_bytes(before.encode())
    write_schema_ids(tmp_path, {"order.placed": {1: 4, 2: 9}})
    after = path.read_bytes().decode()
    assert tomllib.loads(after)["subjects"]["order.placed"]["schema_ids"] == {"1": 4, "2": 9}
    assert [line for line in before.splitlines() if "schema_ids" not in line] == [
        line for line in after.splitlines() if line in before.splitlines() and "schema_ids" not in line
    ]
    write_schema_ids(tmp_path, {"order.placed": {1: 4, 2: 9}})
    assert path.read_bytes().decode() == after


def test_rows_of_people_are_never_replaced(tmp_path):
    (tmp_path / "catalog.toml").write_text('[subjects."a.b"]\nchannel = "mine"\nschema_ids = { 1 = 3 }\n')
    write_rows(tmp_path, {("subjects", "a.b"): {"channel": "theirs", "schema_ids": {"1": 8}}})
    assert json.dumps(tomllib.loads((tmp_path / "catalog.toml").read_text())["subjects"]["a.b"]) == (
        '{"channel": "mine", "schema_ids": {"1": 3}}'
    )
