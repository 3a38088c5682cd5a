"""A finding in words: which message breaks, where it is rejected, who is affected, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contract_test.data.finding import Finding, Report
from contract_test.data.verdict import ABSENT, ComparedPair

WHOLE = "(the whole message)"


def lines_of(each: Finding) -> Iterator[str]:
    """Yield the lines below the first one."""
    yield from explanation_lines(each)
    yield from witness_lines(each)
    yield from each.affected
    yield from each.details
    if each.advice:
        yield each.advice


def explanation_lines(each: Finding) -> Iterator[str]:
    """Yield what the rule means, with the versions that were compared."""
    sides = f" Reader: {each.reader}. Writer: {each.writer}." if each.writer else ""
    if each.explanation:
        yield f"{each.explanation}{sides}"


def witness_lines(each: Finding) -> Iterator[str]:
    """Yield the message that breaks, where it comes from, and why it is rejected."""
    if each.witness is ABSENT:
        return
    yield f"breaks: {json_line(each.witness)}"
    if each.recorded:
        yield f"recorded: {each.recorded}"
    elif each.subject:
        yield "generated: no recorded message breaks here"
    if each.rejected:
        yield f"rejected at {each.rejected}"


def unexplained_lines(report: Report) -> Iterator[str]:
    """Yield how many differences of a pair were not looked at, and why."""
    unexplained = {each.pair: each.verdict.unexplained for each in report.findings if each.verdict}
    pairs = {each.id: each for each in report.pairs}
    for pair, text in unexplained.items():
        if text:
            yield f"{pair_title(pairs[pair]) if pair in pairs else pair}: {text}"


def pair_title(pair: ComparedPair) -> str:
    """Return `message.liked v1 → v2 BACKWARD`."""
    return f"{pair.subject} {pair.writer} → {pair.reader} {pair.direction}".lstrip()


def sentence_of(each: Finding) -> str:
    """Return the pointer, the direction and the sentence of a finding, on one line."""
    accepted = f"accepted {each.accepted}:" if each.accepted else ""
    return " ".join(filter(None, (f"{each.pointer or WHOLE}:", each.direction, accepted, each.sentence)))


def json_line(value: Any) -> str:
    """Return a JSON value in one line that does nothing to a terminal or to a CI server.

    What cannot be printed is escaped, as JSON has it. So is what begins a command of a CI server: `##[`.
    """
    text = json.dumps(value, ensure_ascii=False)
    printed = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return printed.replace("##", "#\\u0023")
