"""Findings as JUnit XML, for CI servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from contract_test.data.finding import Finding, Report
from contract_test.data.texts import without_commands
from contract_test.report.causes import Cause
from contract_test.report.finding_lines import lines_of


def as_junit(report: Report) -> str:
    """Return a test case for each pair that was compared, the compatible ones, too.

    Other findings have a test case each. A warning is a case that passed, with its text. Without findings and pairs
    there is one case that passed, because many CI servers refuse a file without any.
    """
    suite = ET.Element("testsuite", name=f"contract-test {report.command}")
    names = _Names()
    for pair in report.pairs:
        found = [each for each in report.findings if each.pair == pair.id]
        classname = pair.subject or "two files"
        case = _case(suite, classname, names.unique(classname, f"{pair.writer} → {pair.reader} {pair.direction}"))
        _fill(case, found)
        if pair.note and not found:
            ET.SubElement(case, "system-out").text = _safe(pair.note)
    compared = {pair.id for pair in report.pairs}
    others = [each for each in report.findings if each.pair not in compared]
    for each in others:
        name = " ".join(
            filter(None, (each.direction, each.rule, each.pointer, f"line {each.line}" if each.line else ""))
        )
        _fill(_case(suite, each.file, names.unique(each.file, name)), [each])
    if not len(suite):
        _case(suite, f"contract-test {report.command}", "no findings")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


class _Names:
    """Makes the name of each test case unique: CI servers keep only one of the same name."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()
        self._repeated: Counter[tuple[str, str]] = Counter()

    def unique(self, classname: str, name: str) -> str:
        """Return the name, with a number if it was used."""
        first = _safe(classname), _safe(name)
        key = first
        while key in self._used:
            self._repeated[first] += 1
            key = first[0], f"{first[1]} ({self._repeated[first] + 1})"
        self._used.add(key)
        return key[1]


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_safe(classname), name=name)


def _fill(case: ET.Element, findings: Sequence[Finding]) -> None:
    """Put the errors into one failure, because a case can have only one, and the other findings into the output."""
    errors = [each for each in findings if each.severity == "error"]
    others = [each for each in findings if each.severity != "error"]
    if errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        message = f"{errors[0].rule}: {_sentence(errors[0])}{more}"
        ET.SubElement(case, "failure", type=_safe(errors[0].rule), message=_safe(message)).text = _text(errors)
    if others:
        ET.SubElement(case, "system-out").text = _text(others)


def _text(findings: Iterable[Finding]) -> str:
    return "\n\n".join(_safe("\n".join((_sentence(each), *lines_of([Cause((each,))])))) for each in findings)


def _sentence(each: Finding) -> str:
    accepted = f"accepted {each.accepted}: " if each.accepted else ""
    return f"{each.place}: {accepted}{each.sentence}"


def _safe(text: str) -> str:
    """What XML 1.0 can hold, and no CI server takes for a command."""
    return without_commands(
        "".join(letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)
    )
