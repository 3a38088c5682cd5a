"""`contract-test lint` and `register`: each rule on one right and one wrong directory."""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_test.cli import lint, register
from contract_test.data.errors import NothingFoundError
from contract_test.data.finding import Finding, Report
from contract_test.report.formats import FORMATS

ROOT = Path(__file__).parents[2]
GOOD = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}},
    "examples": [{"id": "x"}],
}


@pytest.fixture
def contracts(tmp_path):
    """A directory with one good subject; a function changes it."""
    directory = tmp_path / "contracts"

    def write(schema=GOOD, subject="order.placed", version=1, catalog=None):
        path = directory / subject / f"v{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        (directory / "catalog.toml").write_text(
            catalog
            or '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
        )
        return directory

    write()
    return write


def run(directory, *options):
    return CliRunner().invoke(lint.command, ["--contracts", str(directory), *options], standalone_mode=False)


def findings(directory):
    result = run(directory, "--format", "json")
    document = json.loads(result.stdout)
    assert document["format"] == 2
    assert result.return_value == int(any(each["severity"] == "error" for each in document["findings"]))
    assert all(each["advice"] and each["file"] for each in document["findings"])
    return {(each["rule"], each["severity"]): each for each in document["findings"]}


def test_the_repositorys_own_contracts_are_clean():
    result = run(ROOT / "contracts", "--strict")
    assert (result.return_value, result.stdout) == (0, "")


DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def with_property(**schema):
    return GOOD | {"properties": {**GOOD["properties"], **schema}}


@pytest.mark.parametrize(
    ("rule", "severity", "pointer", "schema"),
    [
        ("schema-invalid", "error", "/properties/id/type", with_property(id={"type": "strnig"})),
        ("schema-invalid", "error", "/properties/id/pattern", with_property(id={"type": "string", "pattern": "("})),
        ("schema", "error", "/properties/id/$ref", with_property(id={"$ref": "http://example.org/x"})),
        ("schema", "error", "", {"$ref": "#"}),
        ("schema-invalid", "error", "", {"order_id": "o-1", "title": "of a message", "at": "2026-03-01T12:00:00Z"}),
        ("schema-invalid", "error", "", {"propertes": {"id": {"type": "string"}}}),
        ("schema-invalid", "error", "", '"abc"'),
        ("unknown-keyword", "warning", "/requried", GOOD | {"requried": ["at"]}),
        ("unknown-keyword", "warning", "/properties/id/a~1b", with_property(id={"type": "string", "a/b": 1})),
        ("unknown-keyword", "warning", "/one_of", GOOD | {"one_of": []}),
        (
            "unknown-keyword",
            "warning",
            "/properties/id/nullable",
            with_property(id={"type": "string", "nullable": True}),
        ),
        ("unknown-keyword", "warning", "/if~1", {"$schema": DRAFT_07, **GOOD, "if/": {}}),
        ("unknown-keyword", "warning", "/prefixItems", {"$schema": DRAFT_07, **GOOD, "prefixItems": []}),
        ("accepts-nothing", "error", "", GOOD | {"not": {"type": "object"}}),
        ("accepts-nothing", "warning", "/properties/x", with_property(x={"type": "integer", "enum": ["a"]})),
        (
            "accepts-nothing",
            "warning",
            "/properties/list/items",
            with_property(
                list={
                    "type": "array",
                    "items": {"type": "object", "properties": {"a": {"type": "null"}}, "minProperties": 2},
                }
            ),
        ),
        ("example-invalid", "warning", "/examples/0", GOOD | {"examples": [{"id": 1}]}),
        (
            "example-invalid",
            "warning",
            "/properties/id/examples/1",
            with_property(id={"type": "string", "examples": ["a", 1]}),
        ),
        ("default-invalid", "warning", "/properties/n/default", with_property(n={"type": "string", "default": 1})),
        ("type-not-stated", "warning", "/properties/x", with_property(x={"description": "anything"})),
        ("type-not-stated", "warning", "", {"properties": {"id": {"type": "string"}}}),
        ("type-not-stated", "warning", "", {}),
        ("type-not-stated", "warning", "", {"title": "An order", "required": ["id"]}),
        ("integer-unbounded", "warning", "/properties/n", with_property(n={"type": "integer", "minimum": 0})),
        ("time-without-format", "warning", "/properties/sent_at", with_property(sent_at={"type": "string"})),
        ("null-only", "warning", "/properties/x", with_property(x={"type": "null"})),
        ("items-not-stated", "warning", "/properties/x", with_property(x={"type": ["array", "null"]})),
        (
            "map-with-fields",
            "warning",
            "/additionalProperties",
            GOOD | {"additionalProperties": {"type": "string"}},
        ),
        (
            "everything-required",
            "warning",
            "/required",
            {
                "type": "object",
                "required": list("abcdefgh"),
                "properties": {name: {"type": "string"} for name in "abcdefgh"},
            },
        ),
        (
            "public-person",
            "warning",
            "/properties/workEmail/x-sensitivity",
            with_property(workEmail={"type": "string", "x-sensitivity": "public"}),
        ),
        (
            "pattern-class",
            "warning",
            "/properties/id/pattern",
            with_property(id={"type": "string", "pattern": r"^\d+$"}),
        ),
        (
            "format-not-asserted",
            "warning",
            "/properties/id/format",
            with_property(id={"type": "string", "format": "iri"}),
        ),
        (
            "pattern-of-secrets",
            "warning",
            "/properties/key/pattern",
            with_property(key={"type": "string", "pattern": "^AKIA[A-Z2-7]{16}$"}),
        ),
        (
            "sensitivity-unknown",
            "error",
            "/properties/x/x-sensitivity",
            with_property(x={"type": "string", "x-sensitivity": "pubilc"}),
        ),
        (
            "sensitivity-unknown",
            "error",
            "/properties/x/items/x-sensitivity",
            with_property(x={"type": "array", "items": {"type": "string", "x-sensitivity": True}}),
        ),
    ],
)
def test_a_rule_finds_its_place(contracts, rule, severity, pointer, schema):
    found = findings(contracts(schema))
    assert (rule, severity) in found, found
    assert found[rule, severity]["pointer"] == pointer
    assert found[rule, severity]["file"].endswith("order.placed/v1.json")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^AKIA[A-Z2-7]{16}$", "x-sensitivity": "public"},
        {"type": "string", "pattern": "^[A-Z]{4}[A-Z2-7]{16}$"},
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        {"type": "string", "pattern": "^[0-9]{13,16}$"},
    ],
)
def test_a_pattern_with_room_for_pseudonyms_is_no_finding(contracts, schema):
    assert ("pattern-of-secrets", "warning") not in findings(contracts(with_property(key=schema)))


def test_a_good_directory_has_no_errors_and_says_what_is_not_registered(contracts):
    assert set(findings(contracts())) == {("not-registered", "warning")}


@pytest.mark.parametrize(
    "schema",
    [
        with_property(n={"type": "integer", "minimum": 0, "maximum": 10}),
        GOOD | {"x-owner": "orders", "$comment": "", "definitions": {"properties": {"type": "string"}}},
        {"$schema": DRAFT_07, **GOOD, "$defs": {"any": True}},
        with_property(x=True, y={"enum": [1]}, z={"anyOf": [{"type": "null"}, {"type": "string"}]}),
        with_property(sent_at={"type": "string", "pattern": "^[0-9]+$"}, other={"type": "string", "pattern": r"^\\d$"}),
    ],
)
def test_what_is_fine_is_not_remarked(contracts, schema):
    assert set(findings(contracts(schema))) == {("not-registered", "warning")}


def test_names_and_the_sequence_of_versions(contracts):
    contracts(subject="OrderPaid")
    contracts(subject="order.placed", version=3)
    found = findings(contracts())
    assert found["subject-name", "error"]["file"].endswith("OrderPaid")
    assert "v2 is missing" in found["version-gap", "error"]["sentence"]
    assert ("no-channel", "warning") in found


def test_what_is_registered_and_breaks_the_version_before_it_is_told(contracts):
    directory = contracts()
    contracts(GOOD | {"required": ["id", "at"], "examples": []}, version=2)
    result = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert result.return_value == 0
    assert (
        "warning: order.placed v2 is incompatible with v1 under BACKWARD. See `contract-test compat order.placed`"
        in result.stderr
    )


def test_no_registered_version_is_told_to_take_the_place_of_another(contracts):
    directory = contracts(GOOD | {"title": "two"}, version=2)
    CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    first = directory / "order.placed" / "v1.json"
    first.unlink()
    assert {rule for rule, severity in findings(directory) if severity == "error"} == {"registered-version-gone"}
    first.write_text("{")
    assert {rule for rule, severity in findings(directory) if severity == "error"} == {"schema"}
    first.unlink()
    lock = directory / "contracts.lock"
    lock.write_text("".join(line for line in lock.read_text().splitlines(True) if " v1 " not in line))
    found = findings(directory)
    assert found["version-gap", "error"]["advice"].startswith("Restore v1.json, or remove v2 from contracts.lock")


def test_every_broken_file_is_told_and_not_only_the_first(contracts):
    contracts("{", subject="a")
    contracts('{"a":1,"a":2}', subject="b")
    contracts("\ufeff{}", subject="c")
    contracts({"$ref": "#"}, subject="d")
    result = run(contracts())
    assert "a/v1.json:1  schema  not JSON" in result.stdout
    assert "(column 2)" in result.stdout
    assert "stands twice" in result.stdout
    assert "begins with a byte order mark" in result.stdout
    assert "d/v1.json  schema  applies itself" in result.stdout


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        (GOOD | {"requried": ["at"]}, "Did you mean 'required'?"),
        (with_property(x={"type": "string", "nullable": True}), '["string", "null"]'),
        (GOOD | {"discriminator": "kind"}, "begins with x-"),
        (with_property(id={"type": "strin"}), "Use one of: array, boolean, integer, null, number, object, string."),
    ],
)
def test_a_word_that_is_no_keyword_is_told_with_what_was_meant(contracts, written, advice):
    assert advice in run(contracts(written)).stdout


ROWS = '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
OPEN = {"type": "object", "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "row", "told"),
    [
        (GOOD, 'id = "/order_id"', "id: /order_id points to no field in the schema of v1"),
        (GOOD, 'time = "/at/0"', "time: /at/0 points to no field"),
        (GOOD, 'volatile = ["/at", "/items/*/at"]', "volatile: /items/*/at points to no field"),
        (GOOD, 'caused_by = "/cause"', "caused_by: /cause points to no field"),
        (GOOD, 'caused_by = "cause"\nkey = "/id"\nid = "/id"\ntime = "/at"', None),
        (with_property(lines={"type": "array", "items": {"$ref": "#/properties/id"}}), 'volatile = ["/lines/*"]', None),
        (with_property(any=True), 'key = "/any/thing"', None),
        (OPEN, 'key = "/thing"', None),
        (OPEN, 'key = "/thing/inside"', "key: /thing/inside points to no field"),
        ({"oneOf": [GOOD, {"type": "object", "properties": {"no": {"type": "string"}}}]}, 'key = "/no"', None),
    ],
)
def test_a_pointer_of_the_catalog_that_leads_nowhere_is_told(contracts, schema, row, told):
    found = findings(contracts(schema, catalog=ROWS + row))
    warned = found.get(("pointer-nowhere", "warning"))
    assert (warned is not None) == (told is not None)
    if told is not None:
        assert told in warned["sentence"]
        assert warned["file"].endswith("catalog.toml")


PAID = '[subjects."order.paid"]\nchannel = "c"\n'


@pytest.mark.parametrize(
    ("catalog", "place", "told", "advice"),
    [
        (ROWS + PAID, "[channels.c]", "order.placed, order.paid cannot be distinguished", 'Add type = "/POINTER"'),
        (
            f'{ROWS.replace("json", "resque")}type = "Job"\n{PAID}type = "Job"\n',
            "[channels.c]",
            "more than one subject has the type 'Job'",
            "`type` of its own",
        ),
        (ROWS.replace('codec = "json"', 'codec = "json"\ntype = "/id"') + PAID, None, None, None),
        (ROWS.replace("json", "cloudevents") + PAID, None, None, None),
        (ROWS, None, None, None),
    ],
)
def test_subjects_of_a_channel_that_nothing_tells_apart(contracts, catalog, place, told, advice):
    if "order.paid" in catalog:
        contracts(subject="order.paid")
    found = findings(contracts(catalog=catalog)).get(("subjects-not-told-apart", "error"))
    if told is None:
        assert found is None
    else:
        assert (found["pointer"], told in found["sentence"], advice in found["advice"]) == (place, True, True), found


def test_a_subject_without_schema_ids_cannot_be_written_by_confluent(contracts):
    alone = ROWS.replace("json", "confluent")
    warned = findings(contracts(catalog=alone))["no-schema-id", "warning"]
    assert "order.placed has no schema id of v1: no message of it can be written" in warned["sentence"]
    contracts(subject="order.paid")
    found = findings(contracts(catalog=f"{alone}schema_ids = {{ 1 = 7 }}\n{PAID}"))["no-schema-id", "error"]
    assert found["pointer"] == '[subjects."order.paid"]'
    assert "distinguished from those of the other subjects on the channel" in found["sentence"]


def test_a_pointer_may_lead_to_what_only_the_newest_version_has(contracts):
    contracts(with_property(cause={"type": "string"}), version=2)
    assert ("pointer-nowhere", "warning") not in findings(contracts(catalog=f'{ROWS}caused_by = "/cause"'))


def test_a_registered_version_that_cannot_be_read_is_not_gone(contracts):
    directory = contracts()
    CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    contracts(version=2)
    (directory / "order.placed" / "v1.json").write_text("{")
    found = findings(directory)
    assert ("schema", "error") in found
    assert ("registered-version-gone", "error") not in found


def test_a_registered_version_never_changes(contracts, tmp_path):
    directory = contracts()
    added = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert (added.return_value, added.stdout) == (0, "registered order.placed v1\n")
    assert findings(directory) == {}
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (directory / "order.placed" / "v1.json").write_text(json.dumps(GOOD, indent=4))
    assert findings(directory) == {}, "layout does not count"
    found = findings(contracts(with_property(id={"type": "integer", "minimum": 0, "maximum": 9})))
    again = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert again.return_value == 1
    assert "registered-version-changed" in again.stdout
    changed = found["registered-version-changed", "error"]
    assert "/properties/id/type: 'string' → 'integer'" in changed["sentence"]
    assert "v2.json" in changed["advice"]
    (directory / "order.placed" / "v1.json").rename(directory / "order.placed" / "v2.json")
    assert ("registered-version-gone", "error") in findings(directory)


def test_what_has_errors_is_not_registered(contracts):
    directory = contracts(GOOD | {"description": 1})
    refused = CliRunner().invoke(register.command, ["--contracts", str(directory)], standalone_mode=False)
    assert refused.return_value == 1
    assert not (directory / "contracts.lock").exists()


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ("\ufeff[channels.c]\n", "begins with a byte order mark"),
        ("[channels.c]\n", "protocol is missing"),
        ('[channels.c]\nprotocol = "mqtt"\naddress = "c"\ncodec = "json"\n', "'mqtt'"),
        ('[subjects."order.placed"]\nchannel = "d"\n', "no channel 'd'"),
        ('[subjects."order.placed"]\nkeys = "/x"\n', "'keys' is not known"),
        ('[subjects."order.placed"]\nid = "x"\n', "a JSON pointer"),
        ('[subjects."order.paid"]\n', "has no version"),
        ('[subjects."order.placed"]\ncompatibility = "SOME"\n', "'SOME'"),
        ("[subjects\n", "not TOML"),
        ("[subjects.order.placed]\n", 'Quote a name with dots: [subjects."order.placed"].'),
        ("[subjects.a.b.c]\n", '[subjects."a.b.c"]'),
        ("[subject.x]\n", "'subject' is not known"),
    ],
)
def test_a_wrong_catalog_is_told_with_what_it_takes(contracts, catalog, said):
    result = run(contracts(catalog=catalog))
    assert result.return_value == 1
    assert said in result.stdout
    assert "catalog.toml" in result.stdout


def test_an_empty_directory_is_never_clean(tmp_path):
    for directory, said in ((tmp_path, "no contracts found"), (tmp_path / "no", "there is no such directory")):
        result = run(directory)
        assert isinstance(result.exception, NothingFoundError), "usage: exit 2, as of every other command"
        assert said in str(result.exception)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("junit", 'failures="1"'),
        ("sarif", '"level": "error"'),
        ("github", "::error "),
        ("json", '"severity": "error"'),
        ("text", "not in the lock yet"),
    ],
)
def test_under_strict_each_finding_is_an_error_in_every_format(contracts, form, said):
    result = run(contracts(), "--strict", "--format", form)
    assert result.return_value == 1
    assert said in result.stdout
    assert "warning" not in result.stdout


def test_sarif_says_of_each_rule_what_to_do(contracts):
    (found,) = json.loads(run(contracts(), "--format", "sarif").stdout)["runs"]
    (rule,) = found["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "not registered"
    assert rule["help"]["text"] == "When its services agree on it, run contract-test register SUBJECT."
    assert ".." not in found["results"][0]["message"]["text"]


HOSTILE = Finding("a\nb.json", "/\x1b[31m::error::", "rule,x:y", "<script>\x00%\n\u202e", "::set-output name=x::\r\n")


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_texts_are_inert_in_every_format(name):
    text = FORMATS[name](Report("lint", [HOSTILE]))
    assert "\x1b" not in text
    assert "\x00" not in text
    if name == "json":
        assert json.loads(text)["findings"][0]["sentence"] == HOSTILE.sentence
    elif name == "sarif":
        assert json.loads(text)["version"] == "2.1.0"
    elif name == "junit":
        assert ET.fromstring(text).attrib["failures"] == "1"
    elif name == "github":
        assert len(text.splitlines()) == 1
        assert text.startswith("::error file=a%0Ab.json,title=rule%2Cx%3Ay::")
    elif name == "markdown":
        assert not [line for line in text.splitlines() if line.startswith(("::", "<script"))]
    else:
        assert len(text.splitlines()) == 2


def channel(name, address, more=""):
    return f'[channels.{name}]\nprotocol = "kafka"\naddress = "{address}"\ncodec = "json"\n{more}\n'


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (channel("a", "orders.*"), channel("b", "orders.eu.*"), ("addresses-overlap", "error")),
        (channel("a", "orders.*"), channel("b", "*.eu"), ("addresses-overlap", "error")),
        (channel("a", "orders.*"), channel("b", "mails.*"), None),
        (channel("a", "orders.*"), channel("b", "orders.eu"), None),  # it has a channel of its own
        (channel("a", "*.eu"), channel("b", "*.us"), None),
        (channel("a", "orders"), channel("b", "orders"), None),  # in two regions
        (channel("a", "orders"), channel("b", "orders", 'type = "/id"'), ("address-clash", "warning")),
        (channel("a", "orders.*"), channel("b", "orders.*").replace("kafka", "redis-list"), None),
    ],
)
def test_channels_between_which_an_address_is_not_told_apart(contracts, one, other, rule):
    catalog = f'{one}{other}[subjects."order.placed"]\nchannels = ["a", "b"]\n'
    found = findings(contracts(catalog=catalog))
    assert [key for key in found if key[0].startswith("address")] == ([rule] if rule else [])
    if rule:
        assert found[rule]["pointer"] == "[channels.b].address"


def test_subjects_on_one_dead_letter_queue_have_to_be_told_apart(contracts):
    contracts(subject="order.paid")
    catalog = (
        f"{channel('a', 'a')}{channel('b', 'b')}{channel('dead', 'dead')}"
        '[subjects."order.placed"]\nchannel = "a"\ndead_letter = "dead"\n'
        '[subjects."order.paid"]\nchannel = "b"\ndead_letter = "dead"\n'
    )
    found = findings(contracts(catalog=catalog))["subjects-not-told-apart", "error"]
    assert found["pointer"] == "[channels.dead]"


def test_a_message_recorded_where_its_subject_does_not_travel_is_found(contracts):
    root = contracts(catalog=f'{channel("a", "a")}{channel("b", "b")}[subjects."order.placed"]\nchannel = "a"\n')
    (root / "order.placed" / "recordings").mkdir()
    path = root / "order.placed" / "recordings" / "v1.jsonl"
    path.write_text(json.dumps({"format": 1, "channel": "b", "payload": {"id": "x"}}) + "\n")
    assert "does not put order.placed on the channel b" in findings(root)["recording-channel", "error"]["sentence"]


def test_owners_links_and_services_of_the_catalog(contracts):
    catalog = (
        '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\nowner = "nobody"\n'
        '[subjects."order.placed"]\nchannel = "c"\nsent_by = ["web"]\nowner = "shop"\n'
        'links = { wiki = "https://wiki.acme.example/orders", bad = "javascript:alert(1)" }\n'
        '[services.web]\nowner = "shop"\ndomain = "sales"\n[services.wbe]\n[owners.shop]\ncontacts = { slack = "#shop" }\n'
    )

    found = findings(contracts(catalog=catalog))

    assert found["owner-unknown", "warning"]["pointer"] == "[channels.c].owner"
    assert found["link-invalid", "error"]["pointer"] == '[subjects."order.placed"].links'
    assert found["service-unused", "warning"]["pointer"] == "[services.wbe]"
