"""Each format shows the whole finding, and what a schema says stays data in it."""

import json
from xml.etree import ElementTree as ET

import pytest
from compat.conftest import INTEGER, STRING, message

HOSTILE = "a\x1b[31m\n::error::]]><x/>\u202e%0A\x00é"


@pytest.fixture
def broken(repo):
    repo.subject(versions=[message(**{HOSTILE: STRING}), message(**{HOSTILE: INTEGER})])
    return repo


def test_text(broken, compat):
    out = compat().out

    assert len(out.splitlines()) == 7
    assert all(letter.isprintable() or letter == "\n" for letter in out)
    (shown,) = [line.split(": ", 1)[1] for line in out.splitlines() if line.startswith("    breaks: ")]
    assert json.loads(shown) == {HOSTILE: ""}


def test_json(broken, compat):
    result = compat("--format", "json")

    document = json.loads(result.out)
    assert document["format"] == 2
    (finding,) = document["findings"]
    assert finding["file"] == "contracts/thing.done/v2.json"
    assert finding["pointer"] == "/properties/" + HOSTILE.replace("/", "~1")
    assert (finding["rule"], finding["severity"], finding["direction"]) == ("type-changed", "error", "BACKWARD")
    assert (finding["writer"], finding["reader"]) == ("v1", "v2")
    assert finding["witness"] == {HOSTILE: ""}
    verdict = document["verdicts"][finding["pair"]]
    assert (verdict["status"], verdict["witness"]) == ("incompatible", {HOSTILE: ""})
    (reason,) = verdict["incompatibilities"]
    assert (reason["rule"], reason["before"], reason["after"]) == ("type-changed", "string", "integer")
    assert reason["writer_pointer"] == reason["reader_pointer"] == finding["pointer"] + "/type"
    assert "\x1b" not in result.out


def test_json_without_findings(repo, compat):
    repo.subject(versions=[message(), message()])

    assert json.loads(compat("--format", "json").out) == {
        "format": 2,
        "findings": [],
        "pairs": [
            {
                "id": "thing.done:v1>v2:backward",
                "subject": "thing.done",
                "writer": "v1",
                "reader": "v2",
                "direction": "BACKWARD",
                "status": "compatible",
            }
        ],
        "verdicts": {},
        "notes": [],
    }


def test_junit(broken, compat):
    suite = ET.fromstring(compat("--format", "junit").out)

    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert "string → integer" in failure.text
    assert "web sends as v1" in failure.text
    assert "breaks: " in failure.text


def test_sarif(broken, compat):
    (run,) = json.loads(compat("--format", "sarif").out)["runs"]

    (result,) = run["results"]
    assert result["ruleId"] == "type-changed"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "contracts/thing.done/v2.json"
    assert "string → integer" in result["message"]["text"]
    assert "\x1b" not in result["message"]["text"]


def test_github(broken, compat):
    out = compat("--format", "github").out

    assert len(out.splitlines()) == 1
    assert out.startswith("::error file=contracts/thing.done/v2.json,line=1,col=94,title=type-changed::")
    assert "%0Afeed and trending break on what web sends as v1 once they read v2%0A" in out
    assert "\x1b" not in out


def test_stdout_is_data_only(repo, compat):
    repo.subject(versions=[message(), message()])

    result = compat()

    assert result.out == ""
    assert "1 pair compared: 1 compatible" in result.err
