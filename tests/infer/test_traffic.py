"""`infer` and `verify` mean the same by "described", whatever the names in the messages are; and all messages are read."""

import json

import jsonschema_rs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_test.cli.infer import command
from contract_test.cli.show import command as show
from contract_test.cli.verify import command as verify
from contract_test.data.contract import Channel
from contract_test.data.errors import ContractTestError
from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.infer import DeclaredFields, infer
from contract_test.infer.inference import _refuse_large, propose, write
from contract_test.infer.traffic import read_traffic
from contract_test.record.verification import Verifier
from contract_test.report.drift import drift_findings
from envelopes import Wire

CHANNEL = Channel("c", "redis-list", "q", "json")


def run(*arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments], standalone_mode=False)


def lines(path, *messages):
    path.write_text("".join(json.dumps(each) + "\n" for each in messages))
    return path


def errors_of_verify(root, messages, **options):
    """Infer a contract from messages, and return what `verify` finds in the same messages."""
    tapped = [Tapped(Wire(json.dumps(each).encode()), {"line": number}) for number, each in enumerate(messages)]
    inferred = propose(root, "x.y", read_traffic(tapped, "json").seen, DeclaredFields(**options))
    write(root, inferred, CHANNEL, new_channel=True, services={})
    catalog = load_catalog(root)
    verifier = Verifier(catalog, catalog.channels["c"])
    for each in tapped:
        verifier.take(each)
    drift = verifier.shares()[0].drift
    return [each for each in drift_findings(drift, catalog, "c") if each.severity == "error"]


scripts = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12)
names = st.one_of(
    st.sampled_from(["id", "kind", "größe", "ins_phone area", "a/b", "~x", "a~1b", "p-0001", "ana@example.com", "日付", "2fa code",
                     "+46 70 123 45 67", "7d0fb7a8-3c0c-4fd4-b7f5-6c6e5cbbbd1c", "", " ", "0", "-", "Ana Berg"]),
    scripts,
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.text(max_size=5),
    st.sampled_from(["2026-03-01T12:00:00Z", "a@b.example", "https://a.example/", "new", "paid"]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=15
)


@settings(max_examples=25, deadline=None)
@given(
    messages=st.lists(st.dictionaries(names, values, max_size=6), min_size=1, max_size=8),
    copies=st.sampled_from([1, 20]),
)
def test_verify_finds_nothing_in_the_messages_that_a_contract_was_inferred_from(tmp_path_factory, messages, copies):
    root = tmp_path_factory.mktemp("any") / "contracts"
    try:
        assert errors_of_verify(root, messages * copies) == []
    except ContractTestError as error:
        assert "would show" in str(error)  # noqa: PT017 - a name that the scanner takes for a secret


def test_the_keys_of_a_map_with_null_only_are_declared(tmp_path):
    messages = [{"id": {"id": None, "p-0001": None, "000": None}}]
    assert errors_of_verify(tmp_path / "contracts", messages) == []


def test_objects_without_a_tag_are_described_beside_alternatives_that_have_one(tmp_path):
    tagged = {"Ana Berg": [{"id": None, "kind": "https://a.example/"}, {"kind": "A"}]}
    assert errors_of_verify(tmp_path / "contracts", [{"größe": [{}]}, tagged] * 20) == []


@pytest.mark.parametrize(
    "messages",
    [
        [{"box": {"/": {"p-0001" * 12: {"kind": {}}, "0": "x", "Ana Berg": {}}}},
         {"box": {"a%b": {"p-0001" * 12: {"a b": {}}, "0": "x", "Ana Berg": {}}}}],
        [{"p-0001": {"a/b": 1}, "ana@example.com": "c", "by": "dd"}, {"p-0001": {"größe": 1}, "by": "a"},
         {"ana@example.com": "a", "by": "a"}],
        [{"box": {"*": {"@at": {"line 1 address": {"#1": 40}}, "q": {}, "日付": {}},
                  "//": {"@at": {}, "q": {}, "日付": {}},
                  "é": {"@at": {"line 1 address": {"0": "x"}}, "q": {}, "日付": {}}}}],
    ],
    ids=["a definition", "alternatives", "a map in a definition"],
)  # fmt: skip
def test_values_of_names_that_may_be_data_are_described_of_all_places_that_share_a_schema(tmp_path, messages):
    assert errors_of_verify(tmp_path / "contracts", messages * 20) == []


def test_the_next_version_describes_repeated_shapes_in_a_new_map_in_place(tmp_path):
    contracts = write_first(tmp_path, {"id": 1})
    row = {"a": 1, "b": "x", "c": None}
    message = {"id": 1, "rows": {f"p-00{number}": {"x": row, "y": row} for number in range(20)}}
    result = run(lines(tmp_path / "next.jsonl", message), "--subject", "x.y", "--contracts", contracts, "--write")
    assert result.return_value == 0, (result.output, result.exception)
    assert "$ref" not in (contracts / "x.y/v2.json").read_text()


def test_names_of_any_script_are_declared_and_names_that_may_be_data_are_described(tmp_path):
    messages = [{"id": 1, "ins_phone area": "aq"}, {"größe": 3, "a/b": 1, "~": 2}, {"id": 3, "ana@example.com": 1}]
    assert errors_of_verify(tmp_path / "contracts", messages) == []
    schema = json.loads((tmp_path / "contracts/x.y/v1.json").read_text())
    assert set(schema["properties"]) == {"id", "ins_phone area", "größe", "a/b", "~"}
    assert list(schema["patternProperties"]) == ["@"]
    named = infer(messages, DeclaredFields(fields=frozenset(["/ana@example.com"]))).schema
    assert "ana@example.com" in named["properties"]


def test_few_messages_make_no_rule_and_the_option_that_makes_one_is_said(tmp_path):
    source = lines(tmp_path / "m.jsonl", {"id": 1, "closed_at": None}, {"id": 2, "closed_at": None})
    result = run(source, "--subject", "x.y", "--contracts", tmp_path / "none", "--format", "json")
    (proposal,) = json.loads(result.stdout)["proposals"]
    assert "required" not in proposal["schema"]
    assert proposal["schema"]["properties"]["closed_at"] == {}
    rows = {(each["pointer"], each["about"]): each for each in proposal["evidence"]}
    assert rows["/id", "required"] | {"conclusion": ""} == {
        "pointer": "/id", "about": "required", "conclusion": "", "messages": 2, "of": 2, "settled": False,
        "narrowed_by": "--required /id",
    }  # fmt: skip
    assert "only null was seen" in rows["/closed_at", "type"]["conclusion"]
    assert (
        "/id: in all, and yet optional: too few to know (on 2 messages). If it is so, add --required /id"
        in result.stderr
    )
    sure = run(source, "--subject", "x.y", "--contracts", tmp_path / "none", "--required", "/id")
    assert json.loads(sure.stdout)["required"] == ["id"]


def test_null_is_allowed_in_few_messages_if_other_fields_of_the_type_are_null():
    few = [{"a": "x", "b": None if number % 2 else "y", "n": 1} for number in range(4)]
    properties = infer(few).schema["properties"]
    assert (properties["a"]["type"], properties["n"]["type"]) == (["string", "null"], "integer")
    assert infer(few * 8).schema["properties"]["a"]["type"] == "string"
    seen = infer(few, DeclaredFields(as_seen=frozenset([""]))).schema
    assert (seen["required"], seen["properties"]["a"]["type"]) == (["a", "b", "n"], "string")


@pytest.mark.parametrize(
    ("name", "objects"),
    [
        ("contact", [{"email": "x"}, {"phone": "x"}, {"fax": "x"}]),
        ("changes", [{"title": {"from": "x"}}, {"body": {"from": "y"}}]),
        ("prices", [{"eur": 1, "usd": 2}, {"eur": 1}]),
    ],
)
def test_a_few_names_that_come_again_are_fields(name, objects):
    for copies in (1, 10):
        schema = infer([{"id": 1, name: each} for each in objects * copies]).schema["properties"][name]
        assert "additionalProperties" not in schema
        assert set(schema["properties"]) == {key for each in objects for key in each}


def test_many_names_that_come_once_are_keys_of_a_map_and_an_option_says_the_contrary():
    messages = [{"id": 1, "votes": {f"{letter}{other}": 1}} for letter in "abcdef" for other in "uvwx"]
    votes = infer(messages).schema["properties"]["votes"]
    assert votes["additionalProperties"]["type"] == "integer"
    assert "properties" not in votes
    assert ("/votes", "map") in {(each.pointer, each.about) for each in infer(messages).evidence}
    objects = infer(messages, DeclaredFields(objects=frozenset(["/votes"]))).schema["properties"]["votes"]
    assert len(objects["properties"]) == len(messages)


@pytest.mark.parametrize("name", ["event_name", "eventName", "kind", "@type", "was", "art"])
def test_a_tag_is_found_by_what_it_separates_whatever_it_is_called(name):
    messages = [
        {name: text, "id": 1, field: "x"} for text, field in (("Order created", "by"), ("order.gone", "why"))
    ] * 10
    branches = {each["properties"][name]["const"]: each for each in infer(messages).schema["oneOf"]}
    assert {text: set(each["properties"]) for text, each in branches.items()} == {
        "Order created": {name, "id", "by"}, "order.gone": {name, "id", "why"},
    }  # fmt: skip


@pytest.mark.parametrize("values", [(3, 4), (0, 1), (True, False), (-1, 404)])
def test_a_tag_may_be_a_whole_number_or_a_boolean(tmp_path, values):
    messages = [
        {"t": value, "id": 1, field: "x"} for value, field in zip(values, ("by", "why"), strict=True) for _ in "x" * 20
    ]
    schema = infer(messages).schema
    branches = [(each["properties"]["t"], set(each["properties"])) for each in schema["oneOf"]]
    assert json.dumps(branches, default=sorted) == json.dumps(
        [({"const": values[0]}, {"t", "id", "by"}), ({"const": values[1]}, {"t", "id", "why"})], default=sorted
    )
    assert not jsonschema_rs.validator_for(schema).is_valid({"t": values[0], "id": 1, "by": 1})
    assert errors_of_verify(tmp_path / "contracts", messages) == []


def test_the_same_field_of_another_type_is_told_by_a_number():
    messages = [{"type": 1, "value": "x"}, {"type": 2, "value": 1}, {"type": 3, "value": []}] * 10
    assert len(infer(messages).schema["oneOf"]) == 3


@pytest.mark.parametrize(
    "messages",
    [
        [{"errors": 0}, {"errors": 1, "error": {"code": 1}}, {"errors": 2, "error": {"code": 1}}],
        [{"deleted": False, "text": "x"}, {"deleted": True}],
        [{"customer": 41_507, "by": "x"}, {"customer": 41_508, "why": "x"}],
        [{"size": 1.5, "by": "x"}, {"size": 2.5, "why": "x"}],
        [{"code": None, "by": "x"}, {"code": 1, "why": "x"}],
    ],
    ids=["a count", "a flag", "long numbers", "fractions", "null"],
)
def test_a_number_that_makes_no_alternatives_is_no_tag(messages):
    assert "oneOf" not in infer(messages * 10).schema


def test_alternatives_told_by_a_number_have_the_rare_ones_beside_them_and_learn_new_ones(tmp_path):
    messages = [{"type": 3, "by": "x"}, {"type": 4, "why": "x"}] * 10
    contracts = write_first(tmp_path, *messages)
    source = lines(tmp_path / "next.jsonl", *messages, *[{"type": 5, "how": 1}] * 3, {"type": 4, "why": None})
    result = run(source, "--subject", "x.y", "--contracts", contracts)
    assert result.return_value == 0, result.output
    constants = [each["properties"]["type"].get("const") for each in json.loads(result.stdout)["oneOf"]]
    assert constants == [3, 4, 5]
    assert "/why: may be null now, too in the alternative 4, because of 1 of 24 messages" in result.stderr
    named = infer([{"t": 1, "a": 1}, {"t": 2, "b": 1}, {"t": 2.0, "b": 1}], DeclaredFields(tags={"/t"}))
    assert [each["properties"]["t"] for each in named.schema["oneOf"]] == [{"const": 1}, {"const": 2}]


def test_a_tag_deep_in_the_message_is_preferred_to_one_at_the_root_that_explains_no_more():
    messages = [
        {"source": one, "payload": {"sort": two, "id": 1, "device" if two == "push" else "phone": "x"}}
        for one, two in (("app", "push"), ("web", "sms"), ("app", "push"), ("web", "sms"))
    ] * 6  # fmt: skip
    schema = infer(messages).schema
    assert "oneOf" not in schema
    assert len(schema["properties"]["payload"]["oneOf"]) == 2
    inner = [{"meta": {"type": text}, "id": 1, field: "x"} for text, field in (("made", "by"), ("gone", "why"))] * 10
    branches = infer(inner).schema["oneOf"]
    assert [each["properties"]["meta"]["properties"]["type"]["const"] for each in branches] == ["made", "gone"]


def test_a_name_of_a_person_is_no_tag():
    messages = [{"who": who, field: "x"} for who, field in (("Ana Berg", "by"), ("Bo Ek", "why"))] * 20
    assert "Ana" not in json.dumps(infer(messages).schema)


def test_a_named_tag_makes_alternatives_of_few_messages():
    messages = [{"t": "a", "x": 1}, {"t": "b", "y": "s"}]
    assert "oneOf" not in infer(messages).schema
    assert len(infer(messages, DeclaredFields(tags=frozenset(["/t"]))).schema["oneOf"]) == 2


def user(number):
    return {"login": f"u{number}", "id": number, "admin": False, "name": None if number % 2 else "x"}


def test_a_shape_that_is_repeated_is_one_definition():
    messages = [{"sender": user(1), "pr": {"user": user(2), "assignees": [user(3), user(4)]}} for _ in range(20)]
    schema = infer(messages).schema
    assert list(schema["$defs"]) == ["User"] or len(schema["$defs"]) == 1
    (name,) = schema["$defs"]
    assert json.dumps(schema).count('"login"') == 2, "once in properties, once in required"
    assert schema["properties"]["pr"]["properties"]["assignees"]["items"] == {"$ref": f"#/$defs/{name}"}


def test_recursion_is_a_definition_that_refers_to_itself():
    def comment(depth):
        return {"id": depth, "text": "x", "replies": [comment(depth - 1)] if depth else []}

    schema = infer([comment(4) for _ in range(20)] + [comment(2)]).schema
    assert len(json.dumps(schema)) < 1500
    assert "#/$defs/" in json.dumps(schema["$defs"])


def write_first(tmp_path, *messages, options=()):
    contracts = tmp_path / "contracts"
    source = lines(tmp_path / "first.jsonl", *messages)
    assert run(source, "--codec", "json", "--contracts", contracts, "--subject", "x.y", "--key", "q", "--channel", "c",
               "--write", *options).return_value == 0  # fmt: skip
    return contracts


def test_one_rare_word_does_not_throw_an_enum_away(tmp_path):
    known = [{"status": "new"}, {"status": "paid"}] * 20
    contracts = write_first(tmp_path, *known, options=("--enum", "/status"))
    source = lines(tmp_path / "next.jsonl", *known, {"status": "sent"})
    result = run(source, "--subject", "x.y", "--contracts", contracts)
    assert result.return_value == 1
    assert "/status: has 1 value that the enum lacks" in result.stderr
    assert "--enum /status, because of 1 of 41 messages" in result.stderr
    assert "sent" not in result.output
    added = run(source, "--subject", "x.y", "--contracts", contracts, "--enum", "/status")
    assert json.loads(added.stdout)["properties"]["status"]["enum"] == ["new", "paid", "sent"]


def test_each_remark_says_what_was_widened_in_which_alternative_and_in_how_many_messages(tmp_path):
    messages = [{"kind": "sms", "phone": "1"}, {"kind": "push", "device": "x", "badge": 1}] * 20
    contracts = write_first(tmp_path, *messages)
    source = lines(tmp_path / "next.jsonl", *messages, {"kind": "push", "badge": None})
    result = run(source, "--subject", "x.y", "--contracts", contracts)
    assert "device is optional now in the alternative push, because of 1 of 41 messages" in result.stderr
    assert "/badge: may be null now, too in the alternative push, because of 1 of 41 messages" in result.stderr


def test_an_array_first_seen_empty_learns_its_items_later(tmp_path):
    contracts = write_first(tmp_path, {"rows": []})
    source = lines(tmp_path / "next.jsonl", {"rows": [{"id": 1, "kind": "x"}]})
    result = run(source, "--subject", "x.y", "--contracts", contracts, "--write")
    assert result.return_value == 0, result.output
    schema = json.loads((contracts / "x.y/v1.json").read_text())
    assert set(schema["properties"]["rows"]["items"]["properties"]) == {"id", "kind"}


def test_a_wrong_map_is_taken_back(tmp_path):
    contracts = write_first(tmp_path, {"contact": {"email": "x"}}, options=("--map", "/contact"))
    source = lines(tmp_path / "next.jsonl", {"contact": {"email": "x", "address": {"street": "x"}}})
    result = run(source, "--subject", "x.y", "--contracts", contracts, "--object", "/contact", "--write")
    assert result.return_value == 0, result.output
    newest = max((contracts / "x.y").glob("v*.json"))
    contact = json.loads(newest.read_text())["properties"]["contact"]
    assert "additionalProperties" not in contact
    assert set(contact["properties"]) == {"email", "address"}


def test_a_queue_of_plain_json_is_split_by_the_type_in_its_messages(tmp_path):
    messages = [{"event": "user.created", "id": 1}, {"event": "UserDeleted", "why": "x"}, {"event": "ana@example.com"}]
    source = lines(tmp_path / "m.jsonl", *messages)
    contracts = tmp_path / "contracts"
    result = run(source, "--type-at", "/event", "--contracts", contracts, "--key", "q", "--channel", "c", "--write")
    assert result.return_value == 0, result.output
    assert "1 message without a type that is made of words" in result.stderr
    assert "ana@example.com" not in result.output
    assert sorted(load_catalog(contracts).subjects) == ["user.created", "user.deleted"]
    checked = CliRunner().invoke(
        verify,
        [str(lines(source, *messages[:2])), "--contracts", str(contracts), "--channel", "c"],
        standalone_mode=False,
    )
    assert checked.return_value == 0, checked.output


def test_all_messages_are_read_and_a_limit_is_said(tmp_path):
    source = lines(tmp_path / "m.jsonl", *[{"a": 1}] * 10_000, {"a": "x", "late": True})
    result = run(source, "--subject", "x.y", "--contracts", tmp_path / "none")
    assert json.loads(result.stdout)["properties"]["a"]["type"] == ["string", "integer"]
    assert "10001 messages" in result.stderr
    limited = run(source, "--subject", "x.y", "--contracts", tmp_path / "none", "--limit", "10")
    assert "only the first 10 messages were read, because of --limit" in limited.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1\n}\n', "JSON over several lines, where a message a line is expected\n  Make lines of it: jq -c . "),
        ('[\n  {"a": 1},\n  {"a": 2}\n]\n', "one array over several lines, where a message a line is expected\n  Make lines of it: jq -c '.[]'"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested deeper than 200 levels"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_lines_is_named_with_the_command_that_helps(tmp_path, text, said):
    source = tmp_path / "m.jsonl"
    source.write_text(text)
    result = run(source, "--subject", "x.y", "--contracts", tmp_path / "none")
    assert said in str(result.exception)


def test_one_array_in_one_line_is_said_to_be_one_message(tmp_path):
    source = tmp_path / "m.jsonl"
    source.write_text('[{"a": 1}, {"a": 2}]\n')
    result = run(source, "--subject", "x.y", "--contracts", tmp_path / "none")
    assert "is one array, so it is one message. If its items are messages, use: jq -c '.[]'" in result.stderr


def test_show_says_what_raw_messages_are(tmp_path):
    source = lines(tmp_path / "m.jsonl", {"a": 1})
    result = CliRunner().invoke(show, [str(source)], standalone_mode=False)
    assert "messages as they are, and no recording" in str(result.exception)
    assert f"contract-test infer {source} --subject NAME" in str(result.exception)


def test_a_schema_that_is_too_large_names_the_object_and_no_temporary_folder():
    fields = {"x" * 50 + str(number): {"type": "string"} for number in range(60_000)}
    schema = {"properties": {"rows": {"items": {"properties": {"fields": {"properties": fields}}}}}}
    with pytest.raises(ContractTestError) as caught:
        _refuse_large(schema, "x.y")
    assert "The object at /rows/*/fields has 60,000 names" in str(caught.value)
    assert "--map /rows/*/fields" in str(caught.value)


@pytest.mark.parametrize(
    ("job", "codec"),
    [
        ({"class": "Mail", "jid": "j-1", "args": [{}]}, "sidekiq"),
        ({"class": "Mail", "args": [{}]}, "resque"),
        ({"class": "a::JobWrapper", "args": [{"job_class": "Mail", "job_id": "j", "arguments": [{}]}]}, "resque"),
        ({"class": "a::JobWrapper", "args": [{"job_class": "Mail", "job_id": "j", "arguments": [1, 2]}]}, "sidekiq"),
        ({"class": "a::JobWrapper", "jid": "j", "args": [{"job_class": "Mail", "arguments": [{}]}]}, "sidekiq"),
    ],
)
def test_the_codec_of_jobs_is_found_by_who_wrote_them(job, codec):
    assert read_traffic([Tapped(Wire(json.dumps(job)), {"index": 0})], None).codec == codec


@pytest.mark.parametrize("prefix", ["ce_", "cloudEvents_", "cloudEvents:"])
def test_events_in_binary_mode_are_found_by_the_headers_of_their_binding(prefix):
    attributes = {"specversion": b"1.0", "id": b"e-1", "source": b"/web", "type": b"order.placed"}
    wire = Wire(b"{}", None, [(prefix + name, value) for name, value in attributes.items()])
    traffic = read_traffic([Tapped(wire, {"index": 0})], None)
    assert (traffic.codec, list(traffic.types)) == ("cloudevents", ["order.placed"])
