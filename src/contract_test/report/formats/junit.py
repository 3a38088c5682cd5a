"""Findings as JUnit XML, for CI servers."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from contract_test.data.finding import Finding, Report
from contract_test.report.finding_lines import lines_of


def as_junit(report: Report) -> str:
    """Return one test case a finding; a warning is a case that passed, with its text."""
    errors = sum(each.severity == "error" for each in report.findings)
    suite = ET.Element("testsuite", name="contract-test", tests=str(len(report.findings)), failures=str(errors))
    for each in report.findings:
        name = " ".join(filter(None, (each.direction, each.rule, each.pointer)))
        case = ET.SubElement(suite, "testcase", classname=_safe(each.file), name=_safe(name))
        inner = ET.SubElement(case, "failure" if each.severity == "error" else "system-out")
        inner.text = _safe("\n".join((_sentence(each), *lines_of(each))))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _sentence(each: Finding) -> str:
    accepted = f"accepted {each.accepted}: " if each.accepted else ""
    return f"{each.place}: {accepted}{each.sentence}"


def _safe(text: str) -> str:
    """What XML 1.0 can hold."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
