"""The end of a run: what was found in all, what is missing, and which files may be written from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from contract_test.data.result import PinnedContract, Run
from contract_test.data.texts import counted
from contract_test.files.lock import digest
from contract_test.files.reader_files import FOLDER, write_readers
from contract_test.files.state import hide
from contract_test.replay.acceptance import unused
from contract_test.replay.cases import Replay
from contract_test.replay.completeness import Scope
from contract_test.replay.coverage import coverage_of, too_little
from contract_test.replay.hidden_errors import hidden_errors
from contract_test.replay.results import ResultCollector
from contract_test.replay.selection import Selection
from contract_test.replay.service import Service
from contract_test.replay.unused_message import not_read, only_tests_read, unwatched


@dataclass(frozen=True)
class Limits:
    """What is asked of a run as a whole.

    `whole` says why a part is not enough, such as "CI is set"; it is empty if a part may be green. With `strict`, what
    casts doubt on the result makes it red. Coverage and strength are in percent. Recordings older than `max_age` are
    reported.
    """

    whole: str = ""
    strict: bool = False
    coverage: float | None = None
    strength: float | None = None
    max_age: timedelta | None = None


def conclude(service: Service, results: ResultCollector, selection: Selection, scope: Scope, limits: Limits) -> Run:
    """Return the result of a run, with everything that makes it red as a whole."""
    replay, completeness = service.replay, service.completeness
    run = results.run(replay.service, replay.catalog)
    run = replace(
        run, coverage=coverage_of(replay, results.played), contracts=_pinned(replay), site=service.settings.site
    )
    partial = completeness.partial(selection, run, scope)
    notes = completeness.notes(selection, scope)
    if is_whole(run, selection, scope):
        notes += unused(service.accepted, run)
    notes += [*unwatched(run), *_new_traffic(run), *_compared_by_type(replay, run)]
    doubts = [*only_tests_read(run), *hidden_errors(run)]
    unread = not_read(run)
    notes += unread if partial else []  # a test of another part may read it
    if limits.max_age is not None:
        notes += replay.old(limits.max_age)
    problems = [
        *completeness.problems(selection, run, scope),
        *(() if partial else unread),
        *too_little(run, limits.coverage, limits.strength),
        *(_incomplete(partial, limits.whole) if selection.selected or not scope.optional else ()),
        *(doubts if limits.strict else ()),
    ]
    notes += () if limits.strict else doubts
    return replace(run, partial=partial, problems=tuple(problems), notes=tuple(notes))


def _pinned(replay: Replay) -> tuple[PinnedContract, ...]:
    return tuple(
        PinnedContract(
            each.subject,
            each.version,
            digest(each),
            sends=replay.service in subject.sent_by,
            receives=replay.service in subject.received_by,
        )
        for subject in replay.subjects
        for each in subject.contracts.values()
    )


def is_whole(run: Run, selection: Selection, scope: Scope) -> bool:
    """Return True if every contract test of the service has run, and none was skipped."""
    return not scope.narrowed and selection.is_whole and not any(each.count("skipped") for each in run.operations)


def write_what_was_read(service: Service, run: Run, folder: Path | None) -> None:
    """Write which fields the service reads, into a folder or next to the settings. Call it for a whole run only."""
    if not run.readers:
        return
    if folder is None:
        hide(service.own_folder)
    write_readers(folder or service.own_folder / FOLDER, service.replay.service, run.readers, service.replay.catalog)


def _new_traffic(run: Run) -> Iterator[str]:
    """Yield a line for each contract of which messages were emitted for causes without recorded effects."""
    for each in run.operations:
        causes = sum(count for (_, _, emitted), count in each.observations.items() if emitted)
        if causes:
            yield (
                f"{each.operation} {each.subject} v{each.version}: messages were emitted for {counted(causes, 'cause')}"
                " of which no effect is recorded. They keep the contract; record again, to compare them too"
            )


def _compared_by_type(replay: Replay, run: Run) -> Iterator[str]:
    """Yield a line for each contract whose recordings hide values that were compared by their type only."""
    for each in run.operations:
        if each.operation != "produces" or not each.count("passed"):
            continue
        subject = replay.catalog.subjects[each.subject]
        masked = [
            count
            for message in replay.required("produces", each.subject)
            if message.interaction.version == each.version and (count := len(replay.compared_by_type(message, subject)))
        ]
        if masked:
            yield (
                f"{each.operation} {each.subject} v{each.version}: {counted(sum(masked), 'value')} in "
                f"{counted(len(masked), 'message')} were masked when they were recorded, and compared by type only"
            )


def _incomplete(partial: str, why: str) -> Iterator[str]:
    if partial and why:
        yield (
            f"{partial}, and {why}: a part of the contract tests is not enough. Run all of them; or, if this is one of "
            "several jobs, give --contracts-partial and join their results with `contract-test merge-results`"
        )
