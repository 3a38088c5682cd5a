"""What is inferred from values: always a schema that holds for all of them, tight, and without anybody's name."""

import json
from itertools import islice
from pathlib import Path
from random import Random

import jsonschema_rs
import pytest
from generate.random_schemas import Maker
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_test.infer import DeclaredFields, Masked, infer, widen
from contract_test.infer.evidence import without_marks
from contract_test.infer.undeclared import CannotWidenError
from envelopes.validation import compile_schema

REALISTIC = sorted((Path(__file__).parents[1] / "generate" / "realistic").glob("*.json"))
URI = "https://contracts.invalid/x/v1.json"

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(),
    st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01", "10.0.0.1", "a@b.example", "https://a.example/", "P1D"]),
)  # fmt: skip
names = st.one_of(st.sampled_from(["id", "kind", "status", "a", "b", "Ana", "p-0001"]), st.text(max_size=5))

values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


def accepts(schema, messages):
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    return [validator.is_valid(each) for each in messages]


def pairs(messages):
    return [(each, without_marks(each)) for each in messages]


def one_of(values, number):
    return values[number % len(values)]


@settings(max_examples=200, deadline=None)
@given(st.lists(values, min_size=1, max_size=12))
def test_every_value_is_valid_under_what_is_inferred_from_it(found):
    assert all(accepts(infer(found).schema, found))


@settings(max_examples=100, deadline=None)
@given(st.lists(values, min_size=1, max_size=8), st.lists(values, min_size=1, max_size=8))
@example([{"id": None}], [{"0'": False, "p-0001": None}])
@example([{"id": None}], [{"0'": False, "a1": "x"}])
def test_a_schema_is_widened_until_every_new_value_is_valid_and_every_old_one_still_is(before, after):
    old = infer(before).schema
    wider = widen(old, {URI: old}, URI, pairs(after)).schema
    assert all(accepts(wider, [*before, *after]))


def near(message):
    """A message with one field gone, or with a value of another type in its place."""

    def places(value, path):
        steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, child in steps:
            yield (*path, step)
            yield from places(child, (*path, step))

    for path in places(message, ()):
        for new in (KeyError, None, "x", 7, True, {}, []):
            changed = json.loads(json.dumps(message))
            inner = changed
            for step in path[:-1]:
                inner = inner[step]
            if new is KeyError:
                del inner[path[-1]]
            else:
                inner[path[-1]] = new
            yield changed


@pytest.mark.parametrize("path", REALISTIC, ids=lambda path: path.stem)
def test_what_is_inferred_is_nearly_as_strict_as_the_contract_behind_the_messages(path):
    document = json.loads(path.read_text())
    contract = jsonschema_rs.validator_for(document["schema"], validate_formats=True)
    maker = Maker(Random(3))
    maker.definitions = document["schema"].get("$defs", {})
    made = (maker.instance(document["schema"]) for _ in range(20_000))
    messages = [*document["valid"] * 20, *islice((each for each in made if contract.is_valid(each)), 200)]
    schema = infer(messages).schema
    assert all(accepts(schema, messages))
    wrong = [each for message in messages[:40] for each in near(message) if not contract.is_valid(each)]
    refused = accepts(schema, wrong).count(False)
    # The values of flag-set have every JSON type, so a value of another type is refused only by the contract.
    bound = 0.7 if path.stem == "flag-set" else 0.8
    assert refused / len(wrong) > bound, f"{refused} of {len(wrong)} wrong messages are refused"


def test_types_required_fields_and_nulls():
    schema = infer([{"a": 1, "b": 1.5, "c": None}, {"a": 2, "b": 1, "c": "x", "d": [True, None]}] * 9).schema
    assert schema["required"] == ["a", "b", "c"]
    types = {name: each["type"] for name, each in schema["properties"].items()}
    assert types == {"a": "integer", "b": "number", "c": ["string", "null"], "d": "array"}
    assert schema["properties"]["d"]["items"] == {"type": ["boolean", "null"]}


def test_integers_are_bounded_to_what_every_reader_holds_and_not_where_they_are_longer():
    assert infer([1, -1]).schema == {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1}
    assert infer([*range(30)]).schema["minimum"] == 0
    assert infer([2**60]).schema == {"type": "integer", "minimum": 1 - 2**53}


@pytest.mark.parametrize(
    ("name", "texts", "form"),
    [
        ("sent_at", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.5+01:00"], "date-time"),
        ("birthday", ["2026-03-01"], "date"),
        ("timeout", ["P1D", "PT2H"], "duration"),
        ("order_id", ["7d0fb7a8-3c0c-4fd4-b7f5-6c6e5cbbbd1c"], "uuid"),
        ("callback_url", ["https://a.example/x?y", "urn:a:b"], None),
        ("remoteIp", ["10.0.0.1"], "ipv4"),
        ("sent_at", ["2026-03-01", "soon"], None),
        ("sent_at", ["2026-13-01"], None),
        ("label", ["feed"], None),
        ("label", ["2026-03-01"], None),
        ("label", [f"2026-03-0{day}" for day in range(1, 6)], "date"),
        ("email", ["a@b.example"], None),
        ("email", [f"{letter}@b.example" for letter in "abcdefghijklmnopqrs"], "email"),
        ("email", [*(f"{letter}@b.example" for letter in "abcdefghijklmnopqrs"), "bot[bot]@b.example"], None),
        ("browser_version", [f"120.0.60.{number}" for number in range(40)], None),
        ("plan", [f"P{number}D" for number in range(1, 40)], None),
    ],
)
def test_a_format_takes_a_name_that_fits_or_enough_different_texts(name, texts, form):
    proposal = infer([{name: text} for text in texts])
    assert proposal.schema["properties"][name].get("format") == form
    if name == "label" and len(texts) == 1 and texts != ["feed"]:
        assert [(each.sure, each.option) for each in proposal.evidence if each.about == "format"] == [
            (False, "--as-seen")
        ]


SCORES = [{"scores": each} for each in ({"ana": 3, "bo": 4}, {"chi": 1}, {"ana": 2, "chi": 2}, {"bo": 1})]
CONTACTS = [{"contact": {each: "x"}} for each in ("email", "phone", "fax")]


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        (SCORES, ["/scores"]),
        (CONTACTS, ["/contact"]),
        ([{"buyer": {"name": "x"}}, {"buyer": {"name": "y", "city": "x"}}], []),
        ([{"buyer": {"name": "x", "age": 1}}, {"buyer": {"city": "y"}}], []),
        (SCORES * 20, []),
    ],
    ids=["names of people", "names of fields", "one in all", "values not alike", "many messages and no new name"],
)
def test_names_that_could_be_keys_of_a_map_are_pointed_out(messages, options):
    unsure = [each for each in infer(messages).evidence if each.about == "map"]
    assert [(each.pointer, each.sure, each.option) for each in unsure] == [(each, False, "--map") for each in options]
    assert not any(name in each.sentence for each in unsure for name in ("ana", "bo", "chi", "email"))


def test_what_is_declared_an_object_is_not_pointed_out():
    assert not [each for each in infer(SCORES, DeclaredFields(objects={"/scores"})).evidence if each.about == "map"]


def statuses(count, words=("paid", "open")):
    return [{"status": one_of(words, number), "by": one_of(("ana", "bo"), number)} for number in range(count)]


def test_no_field_is_an_enum_unless_somebody_says_so():
    proposal = infer(statuses(40))
    assert "enum" not in json.dumps(proposal.schema)
    assert ("/status", "has only 2 values. If it is an enum, add --enum /status") in proposal.remarks
    assert not any(text in json.dumps(proposal.remarks) for text in ("open", "paid", "ana"))
    named = infer(statuses(10), DeclaredFields(enums=frozenset(["/status"]))).schema["properties"]["status"]
    assert named == {"type": "string", "enum": ["open", "paid"]}
    named = infer(statuses(40), DeclaredFields(enums=frozenset(["/by"]))).schema["properties"]["by"]
    assert named["enum"] == ["ana", "bo"]


@pytest.mark.parametrize(
    "words",
    [
        ("Ana Berg", "Bo Ek"), ("ana@example.com", "bo@example.com"), ("+46701234567", "+46707654321"), ("p-0001", "p-0002"),
        ("é", "ü"),
    ],
)  # fmt: skip
def test_what_looks_like_a_person_is_in_no_enum_whatever_the_field_is_called(words):
    assert not any(word in json.dumps(infer(statuses(200, words)).schema, ensure_ascii=False) for word in words)


def test_texts_that_keep_coming_are_no_enum():
    late = [*statuses(40), *statuses(6, ("lost", "found"))]
    assert "enum" not in infer(late).schema["properties"]["status"]
    many = [{"status": f"s{chr(97 + number % 26)}"} for number in range(400)]
    assert "enum" not in infer(many).schema["properties"]["status"]


def test_pseudonyms_are_in_no_enum():
    masked = [{"status": Masked(one_of(("qwx", "zrt"), number))} for number in range(60)]
    assert infer(masked, DeclaredFields(enums=frozenset(["/status"]))).schema["properties"] == {
        "status": {"type": "string"}
    }


@pytest.mark.parametrize(
    "likes",
    [
        [{f"user{letter}": 1} for letter in "abcdefghijklmnop"],
        [{"p-0001": 1, "p-0002": 2}],
        [{"ana@example.com": 1}] * 5,
        [{"+46 70 123 45 67": 1}] * 5,
        [{"Ana": 1, "Bo": 2}],
        [{"7d0fb7a8-3c0c-4fd4-b7f5-6c6e5cbbbd1c": True}] * 5,
        [{"ghp_" + "a1B2" * 9: True}] * 5,
    ],
)
def test_the_keys_of_a_map_are_data_and_stay_out(likes):
    schema = infer([{"id": "x", "likes": each} for each in likes]).schema
    assert "properties" not in schema["properties"]["likes"]
    assert "type" in schema["properties"]["likes"]["additionalProperties"]
    text = json.dumps(schema)
    assert not any(name in text for each in likes for name in each)


@pytest.mark.parametrize(
    ("likes", "is_map"),
    [
        ([{"u1": 1}, {"u2": 1}], True),
        ([{"p-1": 1, "p-2": 1}, {"p-2": 3, "q-7": 1}, {"q-7": 1, "q-8": 2}], True),
        ([{"line1": "x"}, {"line1": "x", "line2": "y"}], False),
        ([{"md5": "x"}, {"sha1": "y"}], False),
        ([{"x1": 1, "y1": "x"}, {"x2": 1}], False),
    ],
)
def test_names_that_differ_in_their_numbers_from_object_to_object_are_keys(likes, is_map):
    messages = [{"likes": each} for each in likes]
    schema = infer(messages).schema["properties"]["likes"]
    assert ("additionalProperties" in schema, "properties" in schema) == (is_map, not is_map)
    assert "properties" in infer(messages, DeclaredFields(objects={"/likes"})).schema["properties"]["likes"]


@pytest.mark.parametrize("name", ["ana@example.com", "order 123456", "+46 70 123 45 67"])
def test_one_odd_name_does_not_make_a_map_of_the_message(name):
    found = [{"id": "x", "total": 1} | ({name: "y"} if number % 2 else {}) for number in range(10)]
    proposal = infer(found)
    assert list(proposal.schema["properties"]) == ["id", "total"]
    assert "additionalProperties" not in proposal.schema, "a new field of another type breaks no consumer"
    assert [pointer for pointer, sentence in proposal.remarks if "--field" in sentence] == [""]
    assert name not in json.dumps(proposal.schema)
    assert widen(proposal.schema, {URI: proposal.schema}, URI, pairs(found)).schema == proposal.schema


@pytest.mark.parametrize(
    "name",
    [
        "iso3166Alpha2",
        "sha256",
        "error404Count",
        "http500_responses",
        "shippingAddressLine1PostalCodeV2",
        "facadeDecade",
    ],
)
def test_a_name_with_a_number_in_it_is_declared_even_if_few_messages_have_it(name):
    found = [{"id": "x", "items": [{"total": 1} | ({name: "y"} if number % 3 == 0 else {})]} for number in range(10)]
    item = infer(found).schema["properties"]["items"]["items"]
    assert list(item["properties"]) == [name, "total"] or list(item["properties"]) == ["total", name]


def test_an_enum_that_was_asked_for_and_is_none_is_told():
    proposal = infer([{"word": f"w{number}"} for number in range(40)], DeclaredFields(enums=frozenset(["/word"])))
    assert proposal.remarks == (("/word", "is not an enum, which takes 3 of each value, and at most 20"),)


def test_a_map_that_nobody_can_tell_from_fields_is_one_when_it_is_named():
    found = [{"likes": {"ana": 1, "bo": 2}}] * 5
    assert "ana" in json.dumps(infer(found).schema)
    named = infer(found, DeclaredFields(maps=frozenset(["/likes"]))).schema["properties"]["likes"]
    assert named["additionalProperties"]["type"] == "integer"
    assert "properties" not in named


def test_fields_stay_fields_where_most_objects_have_them():
    found = [{"a": "x", "b": "y"} | ({"c": "z"} if number % 2 else {}) for number in range(20)]
    schema = infer([{"inner": each} for each in found]).schema["properties"]["inner"]
    assert (list(schema["properties"]), schema["required"]) == (["a", "b", "c"], ["a", "b"])


def pushes(count):
    for number in range(count):
        shared = {"id": f"d-{number}", "likes": {one_of(("ana", "bo"), number // 2): 1}}
        if number % 2:
            yield shared | {"kind": "push", "device": "x"}
        else:
            yield shared | {"kind": "sms", "phone": "1", **({"prefix": "46"} if number % 3 else {})}


def test_alternatives_are_told_apart_by_the_field_that_tells_which_others_there_are():
    schema = infer(list(pushes(40))).schema
    branches = {each["properties"]["kind"]["const"]: each for each in schema["oneOf"]}
    assert branches["push"]["required"] == ["kind", "id", "likes", "device"]
    assert branches["sms"]["required"] == ["kind", "id", "likes", "phone"]
    assert "prefix" in branches["sms"]["properties"]


def test_what_the_fields_of_a_field_are_may_depend_on_a_type_too():
    found = [{"event": event, "data": {field: 1}} for event, field in (("opened", "by"), ("closed", "reason")) * 10]
    assert [list(each["properties"]["data"]["properties"]) for each in infer(found).schema["oneOf"]] == [
        ["by"],
        ["reason"],
    ]


def test_chance_is_no_alternative():
    random = Random(5)
    found = [
        {"kind": random.choice(("a", "b")), **({"note": "x"} if random.random() < 0.5 else {})} for _ in range(200)
    ]
    assert "oneOf" not in infer(found).schema
    assert "oneOf" not in infer([{"kind": "a", "x": 1}, {"kind": "b"}] * 3).schema


def test_values_may_be_nested_as_deep_as_json_allows():
    deep: object = 1
    for _ in range(900):
        deep = {"a": [deep]}
    assert infer([deep]).schema["type"] == "object"


def contract(**properties):
    return {"type": "object", "required": list(properties), "properties": properties}


@pytest.mark.parametrize(
    ("old", "message", "expected"),
    [
        (contract(a={"type": "string", "title": "A"}), {"a": None}, {"type": ["string", "null"], "title": "A"}),
        (contract(a={"type": "integer"}), {"a": 1.5}, {"type": "number"}),
        (contract(a={"type": "string", "maxLength": 2}), {"a": "abc"}, {"type": "string"}),
        (contract(a={"enum": ["x", None]}), {"a": "Ana Berg"}, {"enum": ["x", None]}),
        (contract(a={"type": "integer", "minimum": 1, "maximum": 9}), {"a": 0}, {"type": "integer", "minimum": 0, "maximum": 9}),
        (contract(a={"not": {"const": "x"}, "type": "string"}), {"a": "x"}, {"type": "string"}),
        (contract(a={"anyOf": [{"type": "boolean"}, {"type": "null"}]}), {"a": "x"},
         {"anyOf": [{"type": "boolean"}, {"type": "null"}, {"type": "string"}]}),
    ],
)  # fmt: skip
def test_a_schema_is_loosened_where_a_message_breaks_it_and_nowhere_else(old, message, expected):
    wider = widen(old, {URI: old}, URI, pairs([message])).schema
    assert wider == contract(a=expected)


def test_fields_that_no_schema_names_are_declared_where_their_neighbours_are():
    old = contract(who={"$ref": "#/$defs/Person"}) | {"$defs": {"Person": contract(name={"type": "string"})}}
    message = {"who": {"name": "Ana", "age": 7, "p-0001": 1}, "at": "2026-03-01"}
    proposal = widen(old, {URI: old}, URI, pairs([message]))
    assert list(proposal.schema["$defs"]["Person"]["properties"]) == ["name", "age"], "a name like data stays out"
    assert proposal.schema["properties"]["at"] == {"type": "string", "format": "date"}
    assert proposal.schema["required"] == ["who"], "what older messages lack is optional"


def test_a_new_alternative_and_a_change_inside_a_known_one():
    old = {"oneOf": [contract(kind={"const": "a"}, x={"type": "string"}), contract(kind={"const": "b"})]}
    known = widen(old, {URI: old}, URI, pairs([{"kind": "a", "x": None}])).schema
    assert known["oneOf"][0]["properties"]["x"]["type"] == ["string", "null"]
    new = widen(old, {URI: old}, URI, pairs([{"kind": "c"}])).schema
    assert new["oneOf"][:2] == old["oneOf"]
    assert compile_schema({URI: new}, f"{URI}#").is_valid({"kind": "c"})


NOTES = {
    "oneOf": [contract(kind={"const": "sms"}, phone={"type": "string"}), contract(kind={"const": "push"}, n={"type": "integer"})]
}  # fmt: skip
FAXES = [{"kind": "fax", "pages": pages} for pages in range(3)]


@pytest.mark.parametrize(
    ("values", "named", "shown"),
    [
        (FAXES, DeclaredFields(), ["fax"]),
        ([*FAXES, *({"kind": "mail", "subject": "s"} for _ in range(3))], DeclaredFields(), ["fax", "mail"]),
        (FAXES[:1], DeclaredFields(enums=frozenset(["/kind"])), ["fax"]),
        (FAXES[:1], DeclaredFields(), []),
        ([{"kind": Masked("fax"), "pages": 1}] * 3, DeclaredFields(enums=frozenset(["/kind"])), []),
        ([*FAXES, "text"], DeclaredFields(), []),
    ],
)
def test_a_new_text_of_a_tag_makes_an_alternative_of_its_own(values, named, shown):
    proposal = widen(NOTES, {URI: NOTES}, URI, pairs(values), named)
    assert proposal.schema["oneOf"][:2] == NOTES["oneOf"]
    made = proposal.schema["oneOf"][2:]
    assert [
        each["properties"]["kind"]["const"] for each in made if "const" in each.get("properties", {}).get("kind", ())
    ] == shown
    assert "fax" in json.dumps(proposal.schema) or not shown, "a text is shown on evidence only"
    reported = dict(proposal.remarks).get("/kind", "")
    assert ("is in the schema" in reported, "--enum /kind" in reported) == (
        bool(shown),
        not shown and "text" not in values,
    )
    validator = compile_schema({URI: proposal.schema}, f"{URI}#")
    assert all(validator.is_valid(without_marks(value)) for value in values)


def test_alternatives_of_which_none_can_be_told_to_be_meant_are_named_as_the_reason():
    old = contract(a={"oneOf": [contract(**{f"x{number}": {"type": "string"}}) for number in range(3_000)]})
    with pytest.raises(CannotWidenError) as caught:
        widen(old, {URI: old}, URI, pairs([{"a": {"b": 1}}]))
    assert (caught.value.pointer, "too many to find out" in caught.value.reason) == ("/a", True)


def test_a_schema_that_describes_everything_stays_as_it_is():
    old = contract(a={"type": "string", "description": "A."})
    assert widen(old, {URI: old}, URI, pairs([{"a": "x"}])).schema == old
