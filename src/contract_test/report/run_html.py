"""A run as one HTML file: opens from disk, loads nothing, runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from contract_test.data.result import Coverage, Failure, MessageResult, Operation, Reader, Run
from contract_test.pages.environment import page_environment
from contract_test.pages.marked_json import Line, marked_lines
from contract_test.report.kinds import Kind, kinds

MAX_MESSAGES_SHOWN = 20
"""Failed messages of one kind that are shown whole; the others are listed."""


@dataclass(frozen=True)
class Section:
    """Everything that a run found about one contract."""

    subject: str
    version: int
    operations: tuple[Operation, ...]
    kinds: tuple[Kind, ...]
    readers: tuple[Reader, ...]
    coverage: Coverage | None

    @property
    def name(self) -> str:
        """For people: `message.liked v2`."""
        return f"{self.subject} v{self.version}"

    @property
    def red(self) -> bool:
        """Whether a message failed."""
        return bool(self.kinds)

    @cached_property
    def fields(self) -> list[tuple[str, list[str]]]:
        """The readers' table: the pointer of each field, and what each reader does with it."""
        descriptions = [
            {each.pointer: _told(each.by_service, each.by_test, reader) for each in reader.fields}
            for reader in self.readers
        ]
        allowed = {fact.pointer for fact in self.coverage.facts if fact.pointer} if self.coverage else set()
        pointers = sorted(allowed.union(*descriptions))
        return [(pointer, [each.get(pointer, "never reads it") for each in descriptions]) for pointer in pointers]


def run_as_html(run: Run) -> str:
    """Return the page. Every value is escaped for HTML, and what cannot be printed is shown as an escape."""
    environment = page_environment("contract_test.report")
    environment.globals |= {
        "shown": MAX_MESSAGES_SHOWN,
        "message_lines": _message_lines,
        "expected_lines": _expected_lines,
    }
    sections = _sections(run)
    failed = sum(len(each.failed) - each.accepted for each in run.operations)
    played = sum(len(each.played) for each in run.operations)
    return environment.get_template("run.html").render(run=run, sections=sections, failed=failed, played=played)


def _sections(run: Run) -> list[Section]:
    everything: tuple[Operation | Coverage | Reader, ...] = (*run.operations, *run.coverage, *run.readers)
    contracts = sorted({(each.subject, each.version) for each in everything})
    found = kinds(run)
    sections = []
    for contract in contracts:
        coverage = [each for each in run.coverage if (each.subject, each.version) == contract]
        sections.append(
            Section(
                *contract,
                tuple(each for each in run.operations if (each.subject, each.version) == contract),
                tuple(kind for kind in found if (kind.operation.subject, kind.operation.version) == contract),
                tuple(each for each in run.readers if (each.subject, each.version) == contract),
                coverage[0] if coverage else None,
            )
        )
    return sorted(sections, key=lambda section: not section.red)


def _told(by_service: int, by_test: int, reader: Reader) -> str:
    if by_service:
        return f"reads it in {by_service} of {reader.messages}"
    return f"only its test reads it, in {by_test} of {reader.messages}" if by_test else "never reads it"


def _message_lines(played: MessageResult) -> Sequence[Line]:
    """What the service got; for a consumer with the place that it failed at."""
    failure = played.failure if played.operation == "consumes" else None
    return marked_lines(played.message, _pointers(failure)) if played.message else ()


def _expected_lines(played: MessageResult) -> Sequence[Line]:
    """What a producer had to emit again, with the places where it did not."""
    return marked_lines(played.expected, _pointers(played.failure)) if played.expected else ()


def _pointers(failure: Failure | None) -> set[str]:
    if failure is None:
        return set()
    pointers = {failure.pointer, *(mismatch.pointer for mismatch in failure.mismatches)}
    return {pointer for pointer in pointers if pointer.startswith("/")}
