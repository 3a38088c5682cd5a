"""`contract-test compat accept`: an intended break stays visible, and is an error again after its last day."""

from datetime import UTC, datetime, timedelta

import pytest
from compat.conftest import INTEGER, STRING, message

TODAY = datetime.now(UTC).date()
FINDING = "type-changed:thing.done:v1>v2:backward:/properties/a/type"


def accept(compat, finding=FINDING, until=TODAY):
    result = compat("accept", finding, "--reason", "nobody reads it yet", "--until", until.isoformat())
    assert (result.code, result.out) == (0, "")


def test_an_accepted_break_is_shown_as_accepted_and_no_error(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    assert compat().code == 1

    accept(compat)
    result = compat()

    assert result.code == 0
    assert f"accepted until {TODAY}: nobody reads it yet: string → integer" in result.out
    assert "1 finding, 1 accepted" in result.err
    (finding,) = compat("--format", "json").findings
    assert (finding["id"], finding["severity"]) == (FINDING, "accepted")


def test_after_its_last_day_it_is_an_error_again(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    accept(compat, until=TODAY - timedelta(days=1))

    result = compat()

    assert result.code == 1
    assert "It was accepted until" in result.out


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github"])
def test_it_stays_in_every_report(repo, compat, form):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    accept(compat)

    assert "nobody reads it yet" in compat("--format", form).out


def test_the_id_does_not_depend_on_the_ref_the_witness_or_the_order(repo, compat):
    def ids(*arguments):
        return {each["id"] for each in compat("--format", "json", *arguments).findings}

    repo.subject(versions=[message(a=STRING, b={"enum": ["x", "y"]})])
    repo.commit()
    repo.version(2, message(a=INTEGER, b={"enum": ["x"]}))
    first = ids()
    assert first == {FINDING, "enum-value-removed:thing.done:v1>v2:backward:/properties/b/enum"}
    assert ids("--against", "main") == first
    repo.recording(1, {"a": "seen"})
    repo.version(2, message(("c",), b={"enum": ["x"]}, a=INTEGER))
    assert ids() == first | {"required-property-added:thing.done:v1>v2:backward:/required/c"}


def test_each_field_of_one_rule_has_an_id_of_its_own(repo, compat):
    closed = {"additionalProperties": False}
    repo.subject(
        mode="FULL",
        versions=[
            message(a=STRING, b=STRING, c=STRING) | closed,
            message(("x", "y"), c=STRING, d=STRING, x=STRING, y=STRING) | closed,
        ],
    )

    findings = compat("--format", "json").findings

    assert len({each["id"] for each in findings}) == len(findings)
    assert "property-removed:thing.done:v1>v2:backward:/properties/a" in {each["id"] for each in findings}
    assert "property-added:thing.done:v2>v1:forward:/properties/d" in {each["id"] for each in findings}


def test_a_relaxed_mode_can_be_accepted(repo, compat):
    repo.subject(mode="FULL", versions=[message(a=STRING)])
    repo.commit()
    repo.subject(mode="BACKWARD", versions=[message(a=STRING)])
    (finding,) = compat("--against", "main", "--format", "json").findings

    accept(compat, finding["id"])

    assert compat("--against", "main").code == 0


def test_a_finding_in_a_shared_file_is_known_by_its_subject(repo, compat):
    repo.file("common.json", {"$defs": {"money": {"type": "object", "properties": {"amount": STRING}}}})
    repo.subject(versions=[message(total={"$ref": "../common.json#/$defs/money"})])
    repo.commit()
    repo.file("common.json", {"$defs": {"money": {"type": "object", "properties": {"amount": INTEGER}}}})

    (finding,) = compat("--against", "main", "--format", "json").findings

    assert finding["file"] == "contracts/common.json"
    assert finding["id"] == "type-changed:thing.done:v1>v1:backward:/$defs/money/properties/amount/type"


@pytest.mark.parametrize(
    "arguments",
    [
        (FINDING, "--until", "2027-01-01"),
        (FINDING, "--reason", "x"),
        ("no such id", "--reason", "x", "--until", "2027-01-01"),
        (FINDING, "--reason", "x", "--until", "soon"),
    ],
)
def test_what_is_missing_or_wrong_is_a_usage_error(repo, compat, arguments):
    repo.subject(versions=[message(a=STRING)])

    assert compat("accept", *arguments).code == 2


def test_an_acceptance_that_is_not_needed_is_a_warning_of_a_run_that_compares_everything(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=STRING)])
    repo.commit()
    accept(compat)

    result = compat()

    assert result.code == 0
    assert "acceptance-unused" in result.out
    assert "acceptance-unused" not in compat("--against", "main").out


def test_an_acceptance_of_what_only_a_comparison_with_a_git_ref_finds_is_kept(repo, compat):
    """The relaxed mode, and what it hides, are not looked for without --against: that is no reason to delete the entries."""
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.subject(mode="NONE", versions=[message(a=STRING), message(a=INTEGER)])
    found = compat("--against", "main", "--format", "json").findings
    for each in found:
        accept(compat, each["id"])

    assert {each["rule"] for each in found} == {"mode-relaxed", "type-changed"}
    assert compat("--against", "main").code == 0
    assert "acceptance-unused" not in compat().out
