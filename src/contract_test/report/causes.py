"""Groups findings for people: one cause is told once, and causes of one rule have one heading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contract_test.data.finding import Finding

MAX_NAMES = 10
MAX_AFFECTED = 6


@dataclass(frozen=True)
class Cause:
    """One change at one place, in all the subjects and versions that it reaches."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that stands for all of them."""
        return self.findings[0]

    @property
    def subjects(self) -> list[str]:
        """The subjects that it reaches."""
        return list(dict.fromkeys(each.subject for each in self.findings))

    @property
    def pairs(self) -> frozenset[tuple[str, str, str]]:
        """What was compared: subject, writer and reader."""
        return frozenset((each.subject, each.writer, each.reader) for each in self.findings)


def causes_of(findings: Iterable[Finding]) -> list[Cause]:
    """Return the findings by cause, in their order. Only findings of subjects can have one cause."""
    found: dict[object, list[Finding]] = {}
    for number, each in enumerate(findings):
        change = (each.severity, each.accepted, each.file, each.pointer, each.rule, each.direction, each.sentence)
        found.setdefault(change if each.subject else number, []).append(each)
    return [Cause(tuple(each)) for each in found.values()]


def by_rule(causes: Iterable[Cause]) -> list[list[Cause]]:
    """Return the causes of one rule in one file together, if they reach the same pairs."""
    found: dict[object, list[Cause]] = {}
    for number, cause in enumerate(causes):
        each = cause.first
        reached = cause.pairs if each.direction else None
        kind = (each.severity, each.accepted, each.rule, each.direction, each.file, each.explanation, reached)
        found.setdefault(kind if each.explanation else number, []).append(cause)
    return list(found.values())


def reach_lines(cause: Cause) -> Iterator[str]:
    """Yield which subjects a cause reaches, if there are several, and in which versions."""
    subjects = cause.subjects
    if len(subjects) > 1:
        more = f" and {len(subjects) - MAX_NAMES} more" if len(subjects) > MAX_NAMES else ""
        yield f"reaches {len(subjects)} subjects: {', '.join(subjects[:MAX_NAMES])}{more}"
    elif len(cause.findings) > 1:
        pairs = [f"{each.writer} → {each.reader}" for each in cause.findings if each.writer]
        yield f"reaches {len(pairs)} pairs: {', '.join(pairs)}"


def affected_lines(causes: Sequence[Cause]) -> list[str]:
    """Return who breaks. What is true of several subjects only in part begins with the subject."""
    findings = [each for cause in causes for each in cause.findings]
    several = len({each.subject for each in findings}) > 1
    counts = Counter(line for each in findings for line in set(each.affected))
    lines: dict[str, None] = {}
    for each in findings:
        for line in each.affected:
            everywhere = counts[line] == len(findings)
            lines[f"{each.subject}: {line}" if several and not everywhere else line] = None
    shown = list(lines)
    more = len(shown) - MAX_AFFECTED
    return [*shown[:MAX_AFFECTED], *([f"and {more} more, which --format json lists"] if more > 0 else [])]


def advice_of(causes: Sequence[Cause]) -> str:
    """Return what to do. If this differs in its details, return the sentences that all have."""
    advices = list(dict.fromkeys(each.advice for cause in causes for each in cause.findings if each.advice))
    if len(advices) < 2:  # noqa: PLR2004 - one or none
        return advices[0] if advices else ""
    sentences = [each.split(". ") for each in advices]
    common = [words[0] for words in zip(*sentences, strict=False) if len(set(words)) == 1]
    return f"{'. '.join(common).rstrip('.')}." if common else advices[0]


def details_of(causes: Sequence[Cause]) -> list[str]:
    """Return the details that all findings have."""
    findings = [each for cause in causes for each in cause.findings]
    return [line for line in findings[0].details if all(line in each.details for each in findings)]
