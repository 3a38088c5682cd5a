"""A finding in words: which message breaks, where it is rejected, who is affected, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contract_test.data.finding import Finding, Report
from contract_test.data.verdict import ABSENT, ComparedPair
from contract_test.report.causes import Cause, advice_of, affected_lines, details_of, reach_lines
from contract_test.report.excerpt import excerpt

WHOLE = "(the whole message)"
_REQUIRED = ({"required-property-added"}, {"no-longer-required"})
MAX_NAMES_IN_FIRST_LINE = 3
_ROOM_IN_A_LIST = 60
NO_WITNESS = "no message was found that breaks for this change alone"


def lines_of(causes: Sequence[Cause], before: Sequence[Cause] = ()) -> Iterator[str]:
    """Yield the lines below the heading of some causes of one rule, or of one.

    What was told of the causes `before` is not repeated, if these reach the same subjects.
    """
    yield from explanation_lines(causes[0].first)
    reach, affected = reach_and_affected(causes, before)
    yield from reach
    if len(causes) == 1:
        first = causes[0].first
        if one_rule(first):
            yield from (f"{each.place}  {each.change}" for each in first.together)
        yield from witness_lines(causes[0])
    else:
        for cause in causes:
            yield " ".join(filter(None, (cause.first.pointer or WHOLE, f" {cause.first.sentence}", _witness(cause))))
            yield from (f"    {line}" for line in cause.first.details if line not in details_of(causes))
            yield from (f"    {line}" for line in together_lines(cause.first))
    yield from affected
    if len(causes) == 1 and not one_rule(causes[0].first):
        yield from together_lines(causes[0].first)
    yield from details_of(causes)
    if advice := advice_of(causes):
        yield advice


def one_rule(each: Finding) -> bool:
    """Return True if a message is rejected for several fields that are required now: each has a line of its own."""
    return bool(each.together) and {each.rule, *(other.rule for other in each.together)} in _REQUIRED


def together_lines(each: Finding) -> Iterator[str]:
    """Yield the other changes that reject the same message."""
    for other in each.together:
        change = f": {other.change}" if other.change else ""
        yield f"rejected as well because of {other.rule} at {other.place}{change}"


def reach_and_affected(causes: Sequence[Cause], before: Sequence[Cause]) -> tuple[list[str], list[str]]:
    """Return which subjects some causes reach, and who breaks. The causes `before` may have told it."""
    reach, affected = list(reach_lines(causes[0])), affected_lines(causes)
    subjects = causes[0].subjects
    if before and len(subjects) > 1 and before[0].pairs == causes[0].pairs:
        reach = [f"reaches the same {len(subjects)} subjects"]
        affected = [] if affected == affected_lines(before) else affected
    return reach, affected


def explanation_lines(each: Finding) -> Iterator[str]:
    """Yield what the rule means, with the versions that were compared."""
    sides = f" Reader: {each.reader}. Writer: {each.writer}." if each.writer else ""
    if each.explanation:
        yield f"{each.explanation}{sides}"


def witness_lines(cause: Cause) -> Iterator[str]:
    """Yield the message that breaks, where it comes from, and why it is rejected."""
    each = with_witness(cause)
    if each.witness is ABSENT:
        if each.verdict is not None and each.verdict.incompatibilities:
            yield NO_WITNESS
        return
    which = f" {each.subject} {each.writer} → {each.reader}" if len(cause.findings) > 1 else ""
    yield f"breaks{which}: {excerpt(each.witness, each.rejected_at)}"
    if each.recorded:
        yield f"recorded: {each.recorded}"
    elif each.subject:
        yield "generated: the contract allows it, but no recorded message is like it"
    if each.rejected:
        yield f"rejected at {each.rejected}"


def _witness(cause: Cause) -> str:
    """The message that breaks, in the line of one cause among others."""
    each = with_witness(cause)
    if each.witness is ABSENT:
        return f" {NO_WITNESS}" if each.verdict is not None else ""
    recorded = f"  recorded: {each.recorded}" if each.recorded else ""
    return f" breaks: {excerpt(each.witness, each.rejected_at, _ROOM_IN_A_LIST)}{recorded}"


def with_witness(cause: Cause) -> Finding:
    """Return the finding whose message to show: a recorded one, or else any."""
    return max(cause.findings, key=lambda each: (bool(each.recorded), each.witness is not ABSENT))


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
    return " ".join(
        filter(None, (f"{each.pointer or WHOLE}:", each.direction, accepted, each.sentence, breaks_of([each])))
    )


def breaks_of(findings: Iterable[Finding]) -> str:
    """Return `(breaks billing and search: reading v1 as v2)`, for the first line; "" if no service breaks."""
    found = list(findings)
    names = list(dict.fromkeys(name for each in found for name in each.breaks))
    if not names:
        return ""
    if len(names) > MAX_NAMES_IN_FIRST_LINE:
        names = [*names[: MAX_NAMES_IN_FIRST_LINE - 1], f"{len(names) - MAX_NAMES_IN_FIRST_LINE + 1} more services"]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    versions = {(each.writer, each.reader) for each in found}
    reading = "".join(f": reading {writer} as {reader}" for writer, reader in versions if writer and reader)
    return f"(breaks {listed}{reading if len(versions) == 1 else ''})"
