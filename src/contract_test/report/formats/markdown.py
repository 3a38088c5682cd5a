"""Findings as one comment of a pull request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from contract_test.data.finding import Finding, Report
from contract_test.data.texts import counted
from contract_test.data.verdict import ABSENT
from contract_test.pages.links import service_page, subject_page
from contract_test.report.causes import Cause, advice_of, by_rule, causes_of, details_of
from contract_test.report.excerpt import excerpt
from contract_test.report.finding_lines import (
    NO_WITNESS,
    WHOLE,
    explanation_lines,
    reach_and_affected,
    together_lines,
    unexplained_lines,
    with_witness,
)
from contract_test.report.inert import json_escaped
from contract_test.report.inert_markdown import code, code_block, folded, plain

MAX_LENGTH = 65_000
"""A comment of GitHub can have 65,536 UTF-16 units."""
_MAX_CAUSES = 15
_MAX_WITNESSES = 5
_MAX_PAGES = 8
_MAX_WITNESS_LENGTH = 1_500
_COMPATIBLE = ("compatible", "migrated")


def as_markdown(report: Report) -> str:
    """Return a comment of at most 65,000 characters. Its first line is the same in each run of a command.

    It shows what breaks, who breaks, and a message that breaks. Then it lists what was accepted, what is compatible,
    and what was not looked at. If there is more than a comment can hold, it says how much is left out.
    """
    errors = [each for each in report.findings if each.severity == "error"]
    blocks = partial(_blocks, site=report.site)
    title = "What breaks" if report.pairs else "Errors"
    sections = [
        _Section(title, 42_000, blocks(each for each in errors if each.rule != "unknown"), "finding"),
        _Section("Not decided", 5_000, blocks(each for each in errors if each.rule == "unknown"), "finding"),
        _Section("Warnings", 5_000, blocks(each for each in report.findings if each.severity == "warning"), "finding"),
        _Section("Accepted", 4_000, blocks(each for each in report.findings if each.severity == "accepted"), "finding"),
        _Section("Not looked at", 2_500, [_Block(f"- {plain(each)}") for each in _not_looked_at(report)], "line"),
        _Section("Compatible", 3_500, _compatible(report), "subject", folded=True),
    ]
    texts = [f"<!-- contract-test:{report.command} -->", _heading(report), *(each.text() for each in sections)]
    return "\n\n".join(filter(None, texts)) + "\n"


@dataclass(frozen=True)
class _Block:
    """A part of a section, `brief` if there is no room for it."""

    text: str
    brief: str = ""
    count: int = 1


@dataclass(frozen=True)
class _Section:
    """Blocks under a heading, as many as there is room for."""

    title: str
    room: int
    blocks: Sequence[_Block]
    what: str
    folded: bool = False

    def text(self) -> str:
        """Return the section; nothing without blocks."""
        if not self.blocks:
            return ""
        room, shown, left_out = self.room, [], 0
        for block in self.blocks:
            fitting = [each for each in (block.text, block.brief) if each and _length(each) + 2 <= room]
            if fitting:
                shown.append(fitting[0])
                room -= _length(fitting[0]) + 2
            else:
                left_out += block.count
        content = ("\n" if self.what != "finding" else "\n\n").join(shown)
        if left_out:
            content += f"\n\n{counted(left_out, self.what)} more, for which there is no room here."
        if self.folded:
            return folded(f"{self.title}: {counted(len(self.blocks), self.what)}", content)
        return f"#### {self.title}\n\n{content.lstrip()}"


def _length(text: str) -> int:
    """The length as GitHub counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _heading(report: Report) -> str:
    severities = Counter(each.severity for each in report.findings)
    counts = [counted(severities[name], name) for name in ("error", "warning") if severities[name]]
    counts += [f"{severities['accepted']} accepted"] if severities["accepted"] else []
    lines = [f"### contract-test {report.command}: {', '.join(counts) or 'no findings'}"]
    causes = len(causes_of(report.findings))
    if causes < len(report.findings):
        lines.append(f"{counted(len(report.findings), 'finding')} with {counted(causes, 'cause')}.")
    if report.pairs:
        statuses = Counter(each.status for each in report.pairs)
        compared = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        lines.append(f"{counted(len(report.pairs), 'pair')} compared: {compared}.")
    return "\n\n".join(lines)


def _blocks(findings: Iterable[Finding], site: str) -> list[_Block]:
    groups = by_rule(causes_of(findings))
    return [
        _Block(_group(each, before, site), _head(each), sum(len(cause.findings) for cause in each))
        for before, each in zip([[], *groups], groups, strict=False)
    ]


def _head(causes: Sequence[Cause]) -> str:
    first = causes[0].first
    line = f":{first.position.line}" if first.position and len(causes) == 1 else ""
    direction = f", {plain(first.direction)}" if first.direction else ""
    return f"**{plain(first.rule, 80)}** in {code(f'{first.file}{line}')}{direction}"


def _group(causes: Sequence[Cause], before: Sequence[Cause], site: str) -> str:
    first = causes[0].first
    lines = [_head(causes), ""]
    lines += [f"- {code(each.first.pointer or WHOLE)}: {code(each.first.sentence)}" for each in causes[:_MAX_CAUSES]]
    if len(causes) > _MAX_CAUSES:
        lines.append(f"- and {len(causes) - _MAX_CAUSES} more places")
    if first.accepted:
        return "\n".join([*lines, f"- accepted {plain(first.accepted)}"])
    reach, affected = reach_and_affected(causes, before)
    others = [line for cause in causes[:_MAX_CAUSES] for line in together_lines(cause.first)]
    more = (*explanation_lines(first), *reach, *affected, *others[:_MAX_CAUSES], *details_of(causes)[:_MAX_CAUSES])
    lines += [f"- {plain(line)}" for line in more]
    if site and (pages := _pages(causes, site)):
        lines.append(f"- see {pages}")
    if advice := advice_of(causes):
        lines += ["", f"To do: {plain(advice)}"]
    if folded_lines := list(_witnesses(causes)):
        title = "A message that breaks" if len(causes) == 1 else "Messages that break"
        lines += ["", folded(title, "\n\n".join(folded_lines))]
    return "\n".join(lines)


def _pages(causes: Sequence[Cause], site: str) -> str:
    """Links to the pages of the subjects, and of the services that break, which are there before a change is merged."""
    findings = [each for cause in causes for each in cause.findings]
    pages = {each.subject: subject_page(each.subject) for each in findings if each.subject}
    pages |= {name: service_page(name) for each in findings for name in each.breaks}
    base = quote(site.rstrip("/"), safe=":/?@!$&'*+,;=%~")
    return ", ".join(f"[{plain(name, 80)}]({base}/{page})" for name, page in list(pages.items())[:_MAX_PAGES])


def _witnesses(causes: Sequence[Cause]) -> Iterator[str]:
    for cause in causes[:_MAX_WITNESSES]:
        each = with_witness(cause)
        if each.witness is ABSENT:
            if each.verdict is not None and each.verdict.incompatibilities:
                yield f"{code(each.pointer or WHOLE)}: {NO_WITNESS}"
            continue
        where = code(each.recorded) if each.recorded else "generated"
        rejected = f", rejected at {code(each.rejected)}" if each.rejected else ""
        text = json_escaped(json.dumps(each.witness, indent=2, ensure_ascii=False))
        cut = len(text) > _MAX_WITNESS_LENGTH
        text = excerpt(each.witness, each.rejected_at, _MAX_WITNESS_LENGTH // 2) if cut else text
        yield f"{code(each.pointer or WHOLE)}, {where}{rejected}:\n\n{code_block(text, '' if cut else 'json')}"
        if len(cause.findings) == 1 and each.direction:
            yield f"The id of the finding, for `contract-test compat accept`: {code(each.id)}"
    if len(causes) > _MAX_WITNESSES:
        yield f"{len(causes) - _MAX_WITNESSES} more messages are in the output of `--format json`."


def _compatible(report: Report) -> list[_Block]:
    found: dict[str, list[str]] = {}
    for each in report.pairs:
        if each.status in _COMPATIBLE:
            note = f" ({plain(each.note, 100)})" if each.note else ""
            pair = f"{plain(each.writer, 60)} → {plain(each.reader, 60)} {plain(each.direction, 20)}{note}"
            found.setdefault(each.subject, []).append(pair)
    return [
        _Block(
            f"- {code(subject or 'two files', 120)}: {', '.join(pairs)}", f"- {code(subject, 120)}: {len(pairs)} pairs"
        )
        for subject, pairs in found.items()
    ]


def _not_looked_at(report: Report) -> Iterator[str]:
    yield from unexplained_lines(report)
    yield from report.notes
