"""What the gate answers, as text, JSON, Markdown and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contract_test.data.deployment import ServiceVersion
from contract_test.data.finding import Report
from contract_test.data.texts import counted, inert
from contract_test.data.verdict import ABSENT
from contract_test.gate.answer import Answer, Rollback
from contract_test.gate.decision import Check
from contract_test.gate.deployed_versions import DeployedVersion
from contract_test.gate.evidence import Evidence
from contract_test.gate.matrix import Cell, Turn
from contract_test.report.formats.github import as_github

FORMAT = 1
MAX_SHOWN = 20
"""How many findings, and how many checks that say yes, are listed in a text."""
MAX_ALSO = 5
"""How many other pairs of the same finding are named."""
EXPAND = (
    "Expand and contract: first deploy readers that accept both the old and the new messages, then the writers, and "
    "take the old form out of the contract when no old message is in flight any more."
)


def headline(answer: Answer) -> str:
    """Return the answer in one line."""
    what = f"{answer.candidate} to {answer.environment}"
    if answer.status == "after":
        return f"yes, after {', then '.join(f'{each.service} ≥ {each.short}' for each in answer.steps)}: {what}"
    return f"{answer.status}: {what}"


def answer_as_text(answer: Answer) -> str:
    """Return the answer, what keeps it from being yes, and how everything else is known."""
    return inert("\n".join(_lines(answer)) + "\n")


def _lines(answer: Answer) -> Iterator[str]:
    yield headline(answer)
    if answer.reason:
        yield f"  {answer.reason}"
    by_finding: dict[str, list[Check]] = {}
    for each in answer.blocking:
        by_finding.setdefault(each.finding.id, []).append(each)
    for checks in list(by_finding.values())[:MAX_SHOWN]:
        yield ""
        yield from _blocking_lines(checks)
    if len(by_finding) > MAX_SHOWN:
        yield f"and {counted(len(by_finding) - MAX_SHOWN, 'other finding')}: --format json shows everything"
    if answer.status == "no":
        yield ""
        yield EXPAND
    for each in answer.checks:
        if each.status == "accepted":
            yield f"accepted {each.accepted}: {each.sentence} [{each.finding.id}]"
    passed = list(dict.fromkeys(_passed_line(each) for each in answer.checks if each.status == "yes"))
    if passed:
        yield ""
    yield from passed[:MAX_SHOWN]
    if len(passed) > MAX_SHOWN:
        yield f"  and {counted(len(passed) - MAX_SHOWN, 'other check')} passed"
    for warning in answer.warnings:
        yield f"warning: {warning}"
    for note in answer.notes:
        yield f"note: {note}"


def _passed_line(each: Check) -> str:
    accepted = f" (accepted {each.evidence.accepted})" if each.evidence.accepted else ""
    return f"  {each.evidence.kind:<10} {each.sentence}: {each.evidence.sentence}{accepted}"


def _blocking_lines(checks: Sequence[Check]) -> Iterator[str]:
    """Yield the first of some checks with the same finding, and who else it is about."""
    check, *others = checks
    found = check.finding
    yield f"{check.status}: {found.sentence}"
    also = list(dict.fromkeys(f"{each.reader} of {each.writer or 'the channel'}" for each in others))
    more = f", and {len(also) - MAX_ALSO} more" if len(also) > MAX_ALSO else ""
    for name, value in (
        ("because", check.why),
        ("message", "" if found.witness is ABSENT else json.dumps(found.witness)),
        ("rejected", found.rejected),
        ("recorded", check.evidence.place),
        ("affects", check.affected),
        ("also", ", ".join(also[:MAX_ALSO]) + more),
        ("finding", found.id),
        ("to do", found.advice),
    ):
        if value:
            yield f"  {name:<9} {value}"


def answer_as_json(answer: Answer) -> str:
    """Return the answer with every check."""
    document = {
        "format": FORMAT,
        "answer": answer.status,
        "service": answer.candidate.service,
        "service_version": answer.candidate.version,
        "environment": answer.environment,
        "after": [{"service": each.service, "service_version": each.version} for each in answer.steps],
        "reason": answer.reason,
        "checks": [_check(each, answer.candidate) for each in answer.checks],
        "warnings": answer.warnings,
        "notes": answer.notes,
    }
    return json.dumps(document, indent=2) + "\n"


def _check(each: Check, candidate: ServiceVersion) -> dict[str, Any]:
    found = each.evidence
    row = {
        "status": each.status,
        "direction": each.direction(candidate),
        "subject": each.written.subject,
        "version": each.written.version,
        "writer": str(each.writer or ""),
        "reader": str(each.reader),
        **_evidence(found),
        "why": each.why,
        "until": each.until.isoformat() if each.until else None,
    }
    if each.status != "yes":
        row |= {"id": each.finding.id, "affected": each.affected, "accepted": each.accepted, "command": found.command}
        row |= {"pointer": found.pointer, "place": found.place, "where": found.where}
    return row


def answer_as_markdown(answer: Answer) -> str:
    """Return the answer as a comment for a pull request."""
    lines = [f"### {_escaped(headline(answer))}", ""]
    if answer.reason:
        lines += [_escaped(answer.reason), ""]
    if answer.blocking:
        lines += ["| answer | who | message that may be in flight | finding |", "|---|---|---|---|"]
    for each in answer.blocking:
        found = each.finding
        shown = "" if found.witness is ABSENT else f"`{json.dumps(found.witness).replace('`', chr(0x2BC))}`"
        cells = (each.status, found.sentence, f"{each.why} {shown}", f"`{found.id}`")
        lines.append("| " + " | ".join(_escaped(cell) for cell in cells) + " |")
    lines += ["", *(f"- {_escaped(each)}" for each in (*answer.warnings, *answer.notes))]
    return inert("\n".join(lines).rstrip() + "\n")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def answer_as_github(answer: Answer) -> str:
    """Return an annotation for everything that keeps the answer from being yes."""
    return as_github(Report("can-i-deploy", [each.finding for each in answer.blocking]))


ANSWERS: dict[str, Callable[[Answer], str]] = {
    "text": answer_as_text,
    "json": answer_as_json,
    "markdown": answer_as_markdown,
    "github": answer_as_github,
}


def rollback_as_text(found: Rollback) -> str:
    """Return the version to roll back to, and why each newer one is none."""
    lines = [f"{found.target.version if found.target else 'none'}"]
    for answer in found.answers:
        lines += [f"  {answer.candidate}: {each.sentence}: {each.evidence.brief}" for each in answer.blocking]
    if found.untried:
        lines.append(f"  and {counted(found.untried, 'older version')}, not tried")
    if not found.answers:
        lines.append(f"  no other version of {found.service} ever ran in {found.environment}")
    return inert("\n".join(lines) + "\n")


def rollback_as_json(found: Rollback) -> str:
    """Return the same for programs."""
    document = {
        "format": FORMAT,
        "service": found.service,
        "environment": found.environment,
        "target": found.target.version if found.target else None,
        "untried": found.untried,
        "tried": [
            {
                "service_version": each.candidate.version,
                "answer": each.status,
                "checks": [_check(check, each.candidate) for check in each.blocking],
            }
            for each in found.answers
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def matrix_as_text(cells: Sequence[Cell], turns: Sequence[Turn]) -> str:
    """Return a table of writers by readers, and behind it what breaks."""
    readers = list(dict.fromkeys(each.reader for each in cells))
    writers = list(dict.fromkeys(each.writer for each in cells))
    by_pair = {(each.writer, each.reader): each for each in cells}
    table = [["writer \\ reader", *map(str, readers)]]
    table += [[str(writer), *(by_pair[writer, reader].words for reader in readers)] for writer in writers]
    lines = _columns(table) if cells else []
    for each in cells:
        if each.evidence.status != "yes" or each.evidence.kind == "never-read":
            shown = "" if each.evidence.witness is ABSENT else f" {json.dumps(each.evidence.witness)}"
            message = (
                f"{each.written.subject} v{each.written.version}" if each.written.version else each.written.subject
            )
            lines.append(f"{each.reader} ← {each.writer} ({message}): {each.words}: {each.evidence.brief}{shown}")
    for turn in turns:
        message = f"{turn.written.subject} v{turn.written.version}"
        lines.append(f"first bad: {turn.commit} for {turn.reader}: {message}: {turn.evidence.sentence}")
    return inert("\n".join(lines) + "\n") if lines else ""


def matrix_as_json(cells: Sequence[Cell], turns: Sequence[Turn]) -> str:
    """Return the same for programs."""
    document = {
        "format": FORMAT,
        "cells": [
            {
                "writer": vars(each.writer),
                "reader": vars(each.reader),
                "version": each.written.version,
                "result": each.words,
                **_evidence(each.evidence),
            }
            for each in cells
        ],
        "first_bad": [
            {"commit": each.commit, "reader": vars(each.reader), "version": each.written.version} for each in turns
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _evidence(found: Evidence) -> dict[str, Any]:
    row: dict[str, Any] = {"evidence": found.kind, "sentence": found.sentence, "rejected": found.rejected}
    return row if found.witness is ABSENT else row | {"witness": found.witness}


def deployments_as_json(rows: Sequence[DeployedVersion]) -> str:
    """Return what runs where, for programs."""
    found = [
        {
            "environment": each.environment,
            "service": each.of.service,
            "service_version": each.of.version,
            "since": each.since.isoformat(),
            "contracts": each.contracts,
            "verified": each.verified,
        }
        for each in rows
    ]
    return json.dumps({"format": FORMAT, "deployments": found}, indent=2) + "\n"


def deployments_as_text(rows: Sequence[DeployedVersion]) -> str:
    """Return a table of what runs where."""
    table = [("environment", "service", "version", "since", "verified", "contracts")]
    table += [
        (
            each.environment,
            each.of.service,
            each.of.short,
            f"{each.since:%Y-%m-%d %H:%M}",
            each.verified,
            each.contracts[:12],
        )
        for each in rows
    ]
    return inert("\n".join(_columns(table)) + "\n") if rows else ""


def _columns(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
