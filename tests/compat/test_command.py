"""`contract-test compat`: what it compares, what it says, how it ends."""

import copy
import json
import sys
from pathlib import Path

import pytest
from compat.conftest import DRAFT, INTEGER, STRING, message

from contract_test.cli import progress
from contract_test.compare import RULES
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import plan_subjects

ROOT = Path(__file__).parents[2]


def test_a_finding_reads_as_promised(repo, compat):
    repo.subject(versions=[message(liker=STRING), message(liker=INTEGER)])

    result = compat()

    assert result.code == 1
    first, *rest = result.out.splitlines()
    assert (
        first
        == "contracts/thing.done/v2.json:/properties/liker  BACKWARD  type-changed  string → integer  (breaks feed and trending: reading v1 as v2)"
    )
    assert rest == [
        "    The reader expects another type. Reader: v2. Writer: v1.",
        '    breaks: {"liker": ""}',
        "    generated: the contract allows it, but no recorded message is like it",
        '    rejected at /liker: expected integer, found ""',
        "    feed and trending break on what web sends as v1 once they read v2",
        f"    {RULES['type-changed'].fix}",
    ]
    assert "1 pair compared: 0 compatible, 1 incompatible, 0 unknown; 1 finding\n" in result.err


def test_each_incompatibility_is_a_finding(repo, compat):
    repo.subject(versions=[message(a=STRING, b=INTEGER), message(("b",), a=INTEGER, b=INTEGER)])

    lines = [line for line in compat().out.splitlines() if not line.startswith(" ")]

    assert lines == [
        "contracts/thing.done/v2.json:/properties/b  BACKWARD  required-property-added  b: optional → required  (breaks feed and trending: reading v1 as v2)",
        "contracts/thing.done/v2.json:/properties/a  BACKWARD  type-changed  string → integer  (breaks feed and trending: reading v1 as v2)",
    ]


def test_each_incompatibility_shows_a_message_that_breaks_there(repo, compat):
    repo.subject(versions=[message(a=STRING, b={"enum": ["new", "sent"]}), message(a=INTEGER, b={"enum": ["new"]})])

    places = [line.strip() for line in compat().out.splitlines() if "rejected at" in line]

    assert places == [
        'rejected at /a: expected integer, found ""',
        'rejected at /b: expected one of ["new"], found "sent"',
    ]


def test_a_recorded_message_is_shown_only_where_it_breaks(repo, compat):
    versions = [message(a=STRING, b={"enum": ["new", "sent"]}), message(a=INTEGER, b={"enum": ["new"]})]
    repo.subject(versions=versions)
    repo.recording(1, {"a": "x", "b": "new"})

    shown = [line.strip() for line in compat().out.splitlines() if "recorded" in line]

    assert shown == [
        "recorded: contracts/thing.done/recordings/v1.jsonl:1",
        "generated: the contract allows it, but no recorded message is like it",
    ]


def test_of_many_recorded_messages_the_one_that_breaks_here_is_shown(repo, compat):
    versions = [message(a=STRING, b={"enum": ["new", "sent"]}), message(a=INTEGER, b={"enum": ["new"]})]
    repo.subject(versions=versions)
    repo.recording(1, {"a": "x", "b": "new"}, {"a": "x", "b": "sent"})

    out = compat().out

    at_b = out[out.index("v2.json:/properties/b") :]
    assert "recorded: contracts/thing.done/recordings/v1.jsonl:2" in at_b
    assert 'rejected at /b: expected one of ["new"], found "sent"' in at_b


def test_a_forward_finding_is_told_in_the_newer_file(repo, compat):
    repo.subject(mode="FORWARD", versions=[message(("a",), a=STRING), message(a=STRING)])

    result = compat()

    assert result.out.startswith(
        "contracts/thing.done/v2.json:/properties/a  FORWARD  no-longer-required  a: optional in v2, required by v1  (breaks feed and trending: reading v2 as v1)\n"
    )
    assert "Reader: v1. Writer: v2." in result.out


def test_of_two_faults_in_one_object_each_is_proved_by_its_own(repo, compat):
    def money(required, amount):
        inside = {"type": "object", "properties": {"amount": amount, "rate": STRING}, "required": required}
        return message(["money"], money=inside)

    repo.subject(versions=[money(["amount"], STRING), money(["amount", "rate"], INTEGER)])
    repo.recording(1, {"money": {"amount": "1", "rate": "x"}}, {"money": {"amount": "2"}})

    out = compat().out

    amount, _, rate = out.partition("v2.json:/properties/money/properties/rate ")
    assert "rejected as well because of type-changed at /properties/money/properties/amount/type" in rate
    assert 'rejected at /money: expected the field "rate"' in rate
    assert "v1.jsonl:2" in rate
    assert "rejected at /money/amount: expected integer" in amount
    assert "v1.jsonl:1" in amount


def test_an_alternative_that_changed_inside_is_named_by_its_tag(repo, compat):
    def sent(*required):
        kinds = (message(["kind"], kind={"const": "sms"}), message(required, kind={"const": "mail"}, to=STRING))
        return message(["payload"], payload={"oneOf": list(kinds)})

    repo.subject(versions=[sent("kind"), sent("kind", "to")])

    assert compat().out.startswith(
        "contracts/thing.done/v2.json:/properties/payload/oneOf/1/properties/to  BACKWARD  required-property-added  "
        'where kind: "mail": to: optional → required  (breaks feed and trending: reading v1 as v2)\n'
    )


def test_a_field_that_is_gone_and_that_nobody_is_known_to_read_is_told(repo, compat):
    repo.subject(
        mode="FULL", versions=[message(["a"], a=STRING, payer=STRING), message(["a"], a=STRING, paid_by=STRING)]
    )

    result = compat()

    assert (result.code, result.out) == (0, "")
    assert (
        "thing.done: v2 no longer has /payer. Which services read this in v1 is not known. To find out, see "
        "contract-test readers thing.done" in result.err
    )


def test_the_only_version_that_can_be_used_is_not_told_as_the_only_one(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=STRING)])
    (repo.root / "contracts" / "thing.done" / "v1.json").write_text("{")

    result = compat()

    assert result.code == 1
    assert "nothing to compare with: of thing.done only v2 can be used" in result.err
    assert "one version only" not in result.err


def test_forward_says_what_whoever_wrote_the_new_version_can_do(repo, compat):
    repo.subject(mode="FORWARD", versions=[message(a={"enum": ["x"]}), message(a={"enum": ["x", "y"]})])

    assert compat().out.endswith(
        "    Take the value out of the enum until every reader accepts it. "
        "Or deploy v2 to every reader (feed, trending) before a service sends it.\n"
    )


@pytest.mark.parametrize("mode", ["BACKWARD", "FORWARD"])
def test_two_files_get_no_advice_about_a_catalog(compat, tmp_path, monkeypatch, mode):
    monkeypatch.chdir(tmp_path)
    wide, narrow = message(a={"enum": ["x", "y"]}), message(a={"enum": ["x"]})
    old, new = (wide, narrow) if mode == "BACKWARD" else (narrow, wide)
    Path("old.json").write_text(json.dumps(old))
    Path("new.json").write_text(json.dumps(new))

    out = compat("old.json", "new.json", "--mode", mode).out

    assert ("enum-value-removed" if mode == "BACKWARD" else "enum-value-added") in out
    for word in ("recorded", "reader (", "deploy", "registered", "compatibility =", "sent by"):
        assert word not in out


@pytest.mark.parametrize("versions", [(message(), message(a=STRING)), (message(a=STRING), message())])
def test_an_optional_field_may_come_and_go(repo, compat, versions):
    repo.subject(mode="FULL", versions=[message(kept=STRING, **each["properties"]) for each in versions])

    assert compat().code == 0
    as_written = compat("--content-model", "as-written")
    assert as_written.code == 1
    assert "property-constrained" in as_written.out or "property-unconstrained" in as_written.out


def test_versions_are_compared_as_the_catalog_says(repo, compat):
    versions = [message(b=STRING, a=STRING), message(b=STRING), message(b=STRING, a=INTEGER)]

    repo.subject(mode="BACKWARD", versions=versions)
    assert compat().code == 0
    repo.subject(mode="BACKWARD_TRANSITIVE", versions=versions)
    result = compat()

    assert result.code == 1
    assert "Reader: v3. Writer: v1." in result.out
    assert "3 pairs compared" in result.err


def test_a_mode_can_be_given(repo, compat):
    repo.subject(mode="BACKWARD", versions=[message(("a",), a=STRING), message(a=STRING)])

    assert compat().code == 0
    assert compat("--mode", "FORWARD").code == 1


def test_one_subject_can_be_named(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    for number in (1, 2):
        repo.version(number, message(a=STRING), "other")

    assert compat("other").code == 0
    assert compat("thing.done").code == 1
    unknown = compat("thing.dome")
    assert unknown.code == 2
    assert "Known: thing.done, other." in unknown.err


def test_what_is_not_compared_is_said(repo, compat):
    repo.subject(mode="NONE", versions=[message(a=STRING), message(a=INTEGER)])
    repo.version(1, message(), "lonely")

    result = compat()

    assert (result.code, result.out) == (0, "")
    assert "the mode is NONE: thing.done" in result.err
    assert "one version only: lonely" in result.err


def test_two_files_are_compared_backward_unless_said(repo, compat):
    Path("old.json").write_text(json.dumps(message(("a",), a=STRING)))
    Path("new.json").write_text(json.dumps(message(a=STRING)))

    assert compat("old.json", "new.json").code == 0
    full = compat("old.json", "new.json", "--mode", "FULL")
    assert full.code == 1
    assert full.out.startswith("new.json:/properties/a  FORWARD  no-longer-required  ")


@pytest.mark.parametrize("reference", ["common.json", "https://example.org/common.json"])
def test_a_file_reaches_its_neighbours(repo, compat, reference):
    for folder, leaf in (("before", STRING), ("after", INTEGER)):
        Path(folder).mkdir()
        common = {"$id": "https://example.org/common.json", "$defs": {"leaf": leaf}}
        Path(folder, "common.json").write_text(json.dumps(common))
        Path(folder, "a.json").write_text(json.dumps(message(a={"$ref": f"{reference}#/$defs/leaf"})))

    result = compat("before/a.json", "after/a.json")

    assert result.out.startswith("after/common.json:/$defs/leaf  BACKWARD  type-changed  string → integer\n")


@pytest.mark.parametrize(
    "arguments",
    [("a.json",), ("a", "b"), ("a", "b", "c"), ("a.json", "b.json", "--against", "main"), ("--mode", "SIDEWAYS"),
     ("--budget", "0"), ("--content-model", "open"), ("absent.json", "missing.json")],
)  # fmt: skip
def test_wrong_usage_exits_2(repo, compat, arguments):
    result = compat(*arguments)

    assert (result.code, result.out) == (2, "")
    assert result.err


def test_no_contracts_are_never_green(repo, compat):
    assert compat().code == 2
    (repo.root / "contracts").mkdir()
    assert compat().code == 2


def test_unknown_is_red_and_says_its_cause(repo, compat):
    repo.subject(versions=[message(a={"pattern": r"^(.)\1$"}), message(a={"pattern": r"^(.+)\1$"})])

    result = compat("--format", "json")

    assert result.code == 1
    (finding,) = result.findings
    assert finding["rule"] == "unknown"
    assert finding["verdict"]["status"] == "unknown"
    assert finding["verdict"]["cause"] == finding["sentence"] != ""
    assert "1 unknown" in result.err


def test_time_that_is_spent_is_unknown(repo, compat):
    hard = {"pattern": "^(a|b)*a(a|b){9}$"}
    repo.subject(
        versions=[
            message(a={"allOf": [hard, {"pattern": "^(a|b)*b(a|b){8}$"}]}),
            message(a={"pattern": "^(a|b)*a(a|b){7}$"}),
        ]
    )

    result = compat("--budget", "0.000001")

    assert result.code == 1
    assert "  unknown  the time for this pair is spent" in result.out


def test_a_format_counts_as_it_does_for_a_reader(repo, compat):
    repo.subject(
        versions=[message(a=STRING, b=STRING), message(a={**STRING, "format": "date"}, b={**STRING, "format": "regex"})]
    )

    result = compat("--format", "json")

    assert [(each["rule"], each["pointer"]) for each in result.findings] == [("format-added", "/properties/a")]


def test_a_schema_that_is_none_is_a_finding(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a={"type": "sting"})])

    result = compat()

    assert result.code == 1
    assert result.out.startswith("contracts/thing.done/v2.json:/properties/a  schema-invalid  ")


def test_a_broken_file_does_not_hide_the_rest(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    repo.version(3, message(a={"$ref": "nowhere.json"}))

    rules = {each["rule"] for each in compat("--format", "json").findings}

    assert rules == {"schema-invalid", "type-changed"}


def test_a_large_schema_with_one_leaf_changed_is_decided(repo, compat):
    types = 200
    plain = {f"field_{number}": {**STRING, "description": "what it means " * 8} for number in range(8)}
    definitions = {
        f"T{number}": {
            "type": "object",
            "properties": plain
            | {"count": {**INTEGER, "maximum": 10}, "next": {"$ref": f"#/$defs/T{(number + 1) % types}"}}
            | {"parts": {"type": "array", "items": {"$ref": f"#/$defs/T{(number * 7 + 3) % types}"}}},
        }
        for number in range(types)
    }
    old = {"$ref": "#/$defs/T0", "$defs": definitions}
    new = copy.deepcopy(old)
    new["$defs"]["T150"]["properties"]["count"]["maximum"] = 9
    assert len(json.dumps(old)) > 200_000
    repo.subject(mode="FULL", versions=[old, new])

    result = compat("--budget", "120", "--format", "json")

    assert [(each["direction"], each["rule"], each["pointer"]) for each in result.findings] == [
        ("BACKWARD", "maximum-lowered", "/$defs/T150/properties/count")
    ]


def test_the_contracts_of_this_repository_are_compatible(compat, monkeypatch):
    monkeypatch.chdir(ROOT)

    result = compat()

    assert (result.code, result.out) == (0, "")
    assert "0 incompatible, 0 unknown" in result.err


def test_many_pairs_are_judged_by_several_processes_in_order(repo, compat):
    repo.subject(mode="FULL_TRANSITIVE", versions=[message(a=STRING), message(a=INTEGER), message(a={"const": 1})])
    plan = plan_subjects(Path("contracts"))

    one = list(compare_pairs(plan.pairs, "closed-writer", 2.0))
    several = list(compare_pairs(plan.pairs, "closed-writer", 2.0, many=1))

    assert [outcome.status for outcome in one].count("incompatible") == 5
    assert one == several


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_run_shows_how_far_it_is_on_a_terminal_only(monkeypatch, capsys, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(progress, "_LONG", 0.0)
    monkeypatch.setenv("TERM", "xterm")

    assert list(progress.with_progress(iter(range(5)), 5, "Comparing")) == [0, 1, 2, 3, 4]

    out, err = capsys.readouterr()
    assert out == ""
    assert ("Comparing" in err) == terminal


DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(("leaf", "code"), [(STRING, 0), (INTEGER, 1)])
def test_a_shared_file_in_another_dialect_is_followed(repo, compat, leaf, code):
    repo.file("old.json", {"$schema": DRAFT_7, "definitions": {"leaf": STRING}})
    repo.file("new.json", {"$schema": DRAFT_7, "definitions": {"leaf": leaf}})
    repo.subject(
        versions=[
            message(a={"$ref": "../old.json#/definitions/leaf"}),
            message(a={"$ref": "../new.json#/definitions/leaf"}),
        ]
    )

    result = compat()

    assert result.code == code
    if code:
        assert result.out.startswith("contracts/new.json:/definitions/leaf  BACKWARD  type-changed  ")


def test_a_recursive_shared_file_is_followed(repo, compat):
    tree = {"type": "object", "properties": {"leaf": STRING, "next": {"$ref": "#/$defs/tree"}}}
    wider = {"type": "object", "properties": {"leaf": {}, "next": {"$ref": "#/$defs/tree"}}}
    repo.file("common/tree.json", {"$schema": DRAFT, "$defs": {"tree": tree}})
    repo.file("common/wider.json", {"$schema": DRAFT, "$defs": {"tree": wider}})
    repo.subject(
        mode="FULL",
        versions=[message(a={"$ref": f"../common/{name}.json#/$defs/tree"}) for name in ("tree", "wider")],
    )

    findings = compat("--format", "json").findings

    assert [(each["direction"], each["file"], each["pointer"]) for each in findings] == [
        ("FORWARD", "contracts/common/wider.json", "/$defs/tree/properties/leaf")
    ]


def test_numbers_longer_than_a_double_are_compared_and_shown(repo, compat):
    repo.subject(versions=[message(a={"type": "number"}), message(a={"type": "number", "maximum": 5})])
    repo.recording(1, {"a": 0})
    path = repo.root / "contracts/thing.done/recordings/v1.jsonl"
    path.write_text(path.read_text().replace('"a": 0', '"a": 123456789012345678901234567890'))

    (finding,) = compat("--format", "json").findings

    assert finding["verdict"]["witness"] == {"a": 123456789012345678901234567890}


@pytest.mark.parametrize(("leaf", "code"), [(STRING | {"title": "changed"}, 0), (INTEGER, 1)])
def test_a_shared_file_in_another_dialect_may_have_changed(repo, compat, leaf, code):
    repo.subject(versions=[message(a={"$ref": "../between.json"})])
    repo.file("between.json", {"$ref": "common.json#/definitions/leaf"})
    repo.file("common.json", {"$schema": DRAFT_7, "definitions": {"leaf": STRING}})
    repo.commit()
    repo.file("common.json", {"$schema": DRAFT_7, "definitions": {"leaf": leaf}})

    result = compat("--against", "main")

    assert result.code == code
    if code:
        assert result.out.startswith(
            "contracts/common.json:/definitions/leaf  BACKWARD  type-changed  string → integer"
        )


def test_many_files_that_refer_to_each_other_are_decided(repo, compat):
    files = 40
    for version, longest in ((1, 50), (2, 40)):
        for number in range(files):
            fields = {f"field_{name}": {**STRING, "maxLength": 50, "description": "x" * 60} for name in range(40)}
            fields["next"] = {"$ref": f"t{(number + 1) % files}.json"}
            fields["many"] = {"type": "array", "items": {"$ref": f"t{(number * 7 + 3) % files}.json"}}
            if number == 25:
                fields["field_7"]["maxLength"] = longest
            repo.file(f"lib{version}/t{number}.json", message(**fields))
    repo.subject(mode="FULL", versions=[message(a={"$ref": f"../lib{version}/t0.json"}) for version in (1, 2)])

    findings = compat("--budget", "120", "--format", "json").findings

    assert [(each["direction"], each["file"], each["pointer"]) for each in findings] == [
        ("BACKWARD", "contracts/lib2/t25.json", "/properties/field_7")
    ]


def test_a_mode_that_compares_nothing_cannot_be_asked_for(repo, compat):
    repo.subject(mode="NONE", versions=[message(a=STRING), message(a=INTEGER)])

    assert compat("--mode", "NONE").code == 2
    named = compat("thing.done")
    assert named.code == 2
    assert "thing.done is not compared, because its mode is NONE" in named.err
    assert compat("thing.done", "--mode", "BACKWARD").code == 1


OPEN = {"additionalProperties": True}


def test_a_writer_counts_as_closed_where_additional_properties_is_true(repo, compat):
    repo.subject(versions=[message(a=STRING) | OPEN, message(a=STRING, extra=INTEGER)])

    assert compat().code == 0
    assert compat("--content-model", "as-written").code == 1


@pytest.mark.parametrize("rule", [{}, {"title": "Others"}])
def test_an_empty_schema_for_others_is_read_as_true(repo, compat, rule):
    others = {"additionalProperties": rule}
    repo.subject(versions=[message(a=STRING) | others, message(a=STRING, extra=INTEGER)])

    assert compat().code == 0
    written = compat("--content-model", "as-written")
    assert written.code == 1
    assert f"additionalProperties: {json.dumps(rule)} is read as written: it may send any field" in written.out


def test_the_catalog_says_who_really_sends_undeclared_fields(repo, compat):
    repo.subject(versions=[message(a=STRING) | OPEN, message(a=STRING, extra=INTEGER)])
    path = repo.root / "contracts" / "catalog.toml"
    path.write_text(path.read_text() + 'sends_undeclared = ["web"]\n')

    result = compat()

    assert result.code == 1
    assert "undeclared fields are sent where additionalProperties is true, by web" in result.out


def test_a_finding_says_how_additional_properties_was_read(repo, compat):
    repo.subject(versions=[message(a=STRING) | OPEN, message(a=INTEGER) | OPEN])

    assert "additionalProperties: true is not read as a promise to send undeclared fields" in compat().out
    assert "is read as written" in compat("--content-model", "as-written").out


def test_only_a_sender_can_send_undeclared_fields(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=STRING)])
    path = repo.root / "contracts" / "catalog.toml"
    path.write_text(path.read_text() + 'sends_undeclared = ["feed"]\n')

    result = compat()

    assert result.code == 2
    assert "sends_undeclared names 'feed', which is not in sent_by" in result.err


def test_nobody_breaks_where_nobody_reads(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    path = repo.root / "contracts" / "catalog.toml"
    path.write_text(path.read_text().replace('received_by = ["feed", "trending"]\n', ""))

    assert "nobody in the catalog reads what web sends as v1" in compat().out


def test_what_was_not_looked_at_is_said_in_text_and_in_json(repo, compat):
    names = [f"f{number}" for number in range(60)]
    repo.subject(versions=[message(**dict.fromkeys(names, STRING)), message(**dict.fromkeys(names, INTEGER))])

    text, data = compat(), compat("--format", "json")

    findings = data.findings
    left = "10 more differences were not looked at: the first 50 are shown"
    assert len(findings) == 50
    assert text.out.count(left) == 1
    assert findings[0]["verdict"]["unexplained"] == left


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (message(a=INTEGER), message(a={"type": "number"}), "type-widened  number in v2, integer in v1"),
        (
            message(a={"enum": ["x"]}),
            message(a={"enum": ["x", "y"]}),
            'enum-value-added  ["y"] added in v2, v1 accepts only ["x"]',
        ),
        (message(a={"type": "integer", "minimum": 1}), message(a=INTEGER), "minimum-removed  not set in v2, 1 in v1"),
        (message(("a",), a=STRING), message(), "a: absent in v2, required by v1"),
        (
            message() | {"additionalProperties": False},
            message(a=STRING) | {"additionalProperties": False},
            "property-added  a: declared in v2, not accepted by v1",
        ),
    ],
)
def test_a_forward_finding_names_both_sides(repo, compat, old, new, told):
    """An arrow reads as from old to new, but here the reader is the old one."""
    repo.subject(mode="FORWARD", versions=[old, new])

    assert told in compat().out.splitlines()[0]


@pytest.mark.parametrize(("depth", "pointer"), [(1, "/tags/"), (2, "/tags//")])
def test_a_pointer_into_a_message_keeps_empty_names(repo, compat, depth, pointer):
    def tags(value):
        for _ in range(depth):
            value = {"type": "object", "additionalProperties": value}
        return message(tags=value)

    repo.subject(versions=[tags(INTEGER), tags(STRING)])

    assert f"rejected at {pointer}: expected string, found 0" in compat().out


def test_changes_that_break_only_together_are_counted_in_the_first_line(repo, compat):
    repo.subject(versions=[message(a=STRING), message(("b", "c", "d"), a=STRING, b=STRING, c=STRING, d=STRING)])

    first, *rest = compat().out.splitlines()

    assert first.endswith(
        "b: absent → required (together with 2 more changes)  (breaks feed and trending: reading v1 as v2)"
    )
    assert "Do the same for the other changes that reject the message." in "\n".join(rest)
