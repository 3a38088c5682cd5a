"""Findings as JUnit XML, for CI servers."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from contract_test.data.finding import Finding


def as_junit(findings: Sequence[Finding]) -> str:
    """Return one test case a finding; a warning is a case that passed, with its text."""
    errors = sum(each.severity == "error" for each in findings)
    suite = ET.Element("testsuite", name="contract-test", tests=str(len(findings)), failures=str(errors))
    for each in findings:
        name = " ".join(filter(None, (each.direction, each.rule, each.pointer)))
        case = ET.SubElement(suite, "testcase", classname=_safe(each.file), name=_safe(name))
        inner = ET.SubElement(case, "failure" if each.severity == "error" else "system-out")
        inner.text = _safe("\n".join((_sentence(each), *each.details, each.advice)))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _sentence(each: Finding) -> str:
    accepted = f"accepted {each.accepted}: " if each.accepted else ""
    return f"{each.place}: {accepted}{each.sentence}"


def _safe(text: str) -> str:
    """What XML 1.0 can hold."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
