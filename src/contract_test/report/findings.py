"""Findings in every format: one function and one row each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from contract_test.data.finding import Finding

FORMAT = 1


def as_text(findings: Sequence[Finding]) -> str:
    """One line a finding, and what to do under it."""
    lines = []
    for each in findings:
        mark = "" if each.severity == "error" else "warning: "
        lines.append(
            f"{_line(each.place)}  {_line(each.rule)}  {mark}{_line(each.sentence)}\n    {_line(each.advice)}\n"
        )
    return "".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """`{"format": 1, "findings": [{file, pointer, rule, severity, sentence, advice}]}`."""
    rows = [{name: getattr(each, name) for name in Finding.__dataclass_fields__} for each in findings]
    return json.dumps({"format": FORMAT, "findings": rows}, indent=2) + "\n"


def as_junit(findings: Sequence[Finding]) -> str:
    """One test case a finding; a warning is a case that passed, with its text."""
    errors = sum(each.severity == "error" for each in findings)
    suite = ET.Element("testsuite", name="contract-test", tests=str(len(findings)), failures=str(errors))
    for each in findings:
        case = ET.SubElement(suite, "testcase", classname=_safe(each.file), name=_safe(f"{each.rule} {each.pointer}"))
        inner = ET.SubElement(case, "failure" if each.severity == "error" else "system-out")
        inner.text = _safe(f"{each.place}: {each.sentence}\n{each.advice}")
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, for code scanning."""
    results = [
        {
            "ruleId": each.rule,
            "level": each.severity,
            "message": {"text": f"{each.pointer or '/'}: {each.sentence}. {each.advice}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": each.file}}}],
        }
        for each in findings
    ]
    rules = [{"id": rule} for rule in sorted({each.rule for each in findings})]
    run = {"tool": {"driver": {"name": "contract-test", "rules": rules}}, "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands: annotations in a pull request."""
    return "".join(
        f"::{each.severity} file={_property(each.file)},title={_property(each.rule)}::"
        f"{_data(f'{each.pointer or chr(47)}: {each.sentence} {each.advice}')}\n"
        for each in findings
    )


FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "github": as_github,
}


def _line(text: str) -> str:
    """Keep what a terminal could take as a command out of a line."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _safe(text: str) -> str:
    """What XML 1.0 can hold."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return _line(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
