"""What people read in a terminal: one cause once, one heading for a rule, and messages cut to what matters."""

import json

import pytest
from compat.conftest import INTEGER, STRING, message

from contract_test.data.finding import Finding, Report
from contract_test.report.excerpt import excerpt
from contract_test.report.formats import FORMATS


def test_eight_required_fields_are_one_heading_and_eight_lines(eight_required, compat, golden):
    golden("eight-required.txt", compat().out)


def test_eight_new_fields_that_are_required_have_a_line_each(repo, compat, golden):
    names = [f"field_{letter}" for letter in "abcdefgh"]
    repo.subject(versions=[message(note=STRING), message(names, note=STRING, **dict.fromkeys(names, STRING))])
    golden("eight-new.txt", compat().out)


def test_one_cause_in_a_shared_file_is_told_once_with_the_subjects_that_it_reaches(webhooks, compat, golden):
    text, data = compat("--budget", "60"), compat("--format", "json", "--budget", "60")

    findings = data.findings
    causes = {(each["file"], each["pointer"], each["rule"]) for each in findings}
    assert (len(findings), len(causes)) == (189, 7)
    assert text.out.count("reaches 27 subjects: event00.done, event01.done") == 1
    for file, pointer, rule in causes:
        assert file.startswith("contracts/shared/")
        assert f"{pointer}  BACKWARD  {rule}" in text.out or f"    {pointer}  " in text.out
    golden("webhooks.txt", text.out)


def test_a_change_that_reaches_two_versions_is_told_once(repo, compat):
    repo.subject(
        mode="BACKWARD_TRANSITIVE",
        versions=[message(a=STRING), message(a=STRING, b=STRING), message(a=INTEGER, b=STRING)],
    )

    out = compat().out

    assert out.count("type-changed") == 1
    assert "    reaches 2 pairs: v1 → v3, v2 → v3\n" in out


def test_a_change_of_a_channel_is_told_once_for_its_subjects(repo, compat):
    catalog = '[channels.things]\nprotocol = "kafka"\naddress = "things"\ncodec = "cloudevents"\n'
    catalog += "".join(f'[subjects.{name}]\nchannel = "things"\n' for name in "abc")
    repo.catalog(catalog)
    for name in "abc":
        repo.version(1, message(a=STRING), name)
    repo.commit()
    repo.catalog(catalog.replace('address = "things"', 'address = "others"'))

    out = compat("--against", "main").out

    assert out.count("channel-changed") == 1
    assert "reaches 3 subjects: a, b, c\n" in out


def test_each_finding_has_a_message_of_its_own_or_says_that_it_has_none(repo, compat):
    names = [f"f{number}" for number in range(12)]
    repo.subject(versions=[message(**dict.fromkeys(names, STRING)), message(**dict.fromkeys(names, INTEGER))])

    text, data = compat(), compat("--format", "json")

    lines = [line for line in text.out.splitlines() if line.startswith("    /properties/")]
    assert len(lines) == len(data.findings) == 12
    for each in data.findings:
        name = each["pointer"].rpartition("/")[2]
        assert name in each["witness"]
        (line,) = [line for line in lines if line.startswith(f"    /properties/{name} ")]
        assert f'breaks: {{"{name}": ""' in line


def test_the_witness_in_json_is_whole(repo, compat):
    names = [f"a_rather_long_name_{number}" for number in range(12)]
    fields = dict.fromkeys(names, STRING)
    repo.subject(versions=[message(names, **fields, a=STRING), message(names, **fields, a=INTEGER)])

    text, data = compat(), compat("--format", "json")

    assert data.findings[0]["witness"] == {**dict.fromkeys(names, ""), "a": ""}
    assert '    breaks: {"a": "", …}\n' in text.out


def test_another_change_that_rejects_the_message_has_its_place_in_the_file(repo, compat):
    for version, (required, a) in enumerate((([], STRING), (["b", "c"], STRING)), start=1):
        repo.file(f"shared/v{version}.json", message(required, a=a, **dict.fromkeys(required, STRING)))
    around = [message(["x"], x={"$ref": f"../shared/v{version}.json"}) for version in (1, 2)]
    repo.subject(versions=around)

    out = compat().out

    assert "rejected as well because of required-property-added at /properties/c: c: absent → required\n" not in out
    assert "    /properties/c  c: absent → required\n" in out
    assert "$defs" not in out


def test_fifty_findings_are_small_in_json(repo, compat):
    kept = dict.fromkeys([f"a_rather_long_name_{number}" for number in range(50)], STRING)
    names = [f"f{number}" for number in range(50)]
    repo.subject(
        versions=[message(list(kept), **kept, **dict.fromkeys(names, each)) for each in (STRING, INTEGER)],
    )

    out = compat("--format", "json", "--budget", "60").out

    assert len(json.loads(out)["findings"]) == 50
    assert len(json.loads(out)["verdicts"]) == 1
    assert len(out) < 500_000, len(out)


LONG = {f"name{number}": "x" * 20 for number in range(20)}


@pytest.mark.parametrize(
    ("value", "pointer", "text"),
    [
        ({"a": 1}, "/a", '{"a": 1}'),
        ({**LONG, "a": {**LONG, "b": None}}, "/a/b", '{"a": {"b": null, …}, …}'),
        ({"a": [*LONG.values(), 7, *LONG.values()]}, "/a/20", '{"a": […, 7, …]}'),
        ([{**LONG, "a": 1}], "/0/a", '[{"a": 1, …}]'),
        ({**LONG, "a": "y" * 500}, "/a", '{"a": "yyyyyyyyyyyyyyyyyyyy…", …}'),
        ({**LONG, "a~/b": {"": 1}}, "/a~0~1b/", '{"a~/b": {"": 1}, …}'),
        (LONG, "/gone", '{"name0": "xxxxxxxxxxxxxxxxxxxx", "name1": "xxxxxxxxxxxxxxxxxxxx", …}'),
        ({"a": {"b": LONG}, "c": [1] * 90}, "", '{"a": {…}, "c": […]}'),
        ("z" * 300, None, '"zzzzzzzzzzzzzzzzzzzz…"'),
        (int("9" * 300), "", "9" * 40 + "…"),
    ],
)
def test_a_message_is_cut_to_the_way_to_what_is_rejected(value, pointer, text):
    assert excerpt(value, pointer, 80) == text


@pytest.mark.parametrize("command", ["##[add-mask]x", "##[stop-commands]y", "::error::x", "  ::set-output name=x::y"])
def test_no_line_is_a_command_of_a_ci_server(command):
    finding = Finding(
        command, "/a", "r", command, command, affected=(command,), details=(command,), explanation=command
    )
    out = FORMATS["text"](Report("lint", [finding]))
    assert "##[" not in out
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]
