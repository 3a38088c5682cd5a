"""What one run with `--contracts` has to verify, and what of it is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from contract_test.data.contract import Contract
from contract_test.data.errors import CatalogError, ContractTestError
from contract_test.data.result import Run
from contract_test.data.texts import counted
from contract_test.replay.cases import Replay
from contract_test.replay.deliveries import declares
from contract_test.replay.selection import Key, Selection

OPERATIONS = ("consumes", "produces")
DELIVERED = "delivered"
"""Stands beside them for a consumer of a channel that declares what is to be left of its deliveries."""
_MISSING = {
    operation: f"no test for an operation of this service: {operation} {{subject}}; mark one with "
    f'@pytest.mark.{operation}("{{subject}}")'
    for operation in OPERATIONS
} | {
    DELIVERED: "the channel of {subject} declares its delivery, and no test names the state to compare; "
    "write a fixture `contract_state`, and let a test that consumes it ask for it"
}


@dataclass(frozen=True)
class Scope:
    """How much of all this a run set out to verify.

    `narrowed` is True if somebody selected tests on the command line, or ran one share of them, and `optional` if
    nobody asked for contract tests there, so that none of them need be among those tests. With `collect_only`, no
    test runs. `deliveries` and `generated` are False if the options left deliveries or generated messages out.
    """

    narrowed: bool = False
    optional: bool = False
    collect_only: bool = False
    deliveries: bool = True
    generated: bool = True


class Completeness:
    """What the catalog and the recordings ask of a service. `allow_empty` names subjects of which nothing is asked.

    Raises CatalogError if one of them is no subject of the service.
    """

    def __init__(self, replay: Replay, allow_empty: Collection[str]) -> None:
        self._replay, self._allow_empty = replay, sorted(allow_empty)
        self._deliveries = frozenset(
            (DELIVERED, subject.name) for subject in replay.catalog.received_by(replay.service) if declares(subject)
        )
        own = {subject for _, subject in replay.operations}
        for subject in self._allow_empty:
            if subject not in own:
                advice = f"Take it out. {replay.service} sends and receives {', '.join(sorted(own))}."
                raise CatalogError(f"allow_empty names {subject!r}, no subject of {replay.service}", advice=advice)

    def _wanted(self, scope: Scope) -> frozenset[Key]:
        wanted = self._replay.operations | (self._deliveries if scope.deliveries else frozenset())
        return frozenset(each for each in wanted if each[1] not in self._allow_empty)

    def problems(self, selection: Selection, run: Run, scope: Scope) -> list[str]:
        """Return what keeps a run from being green: all that did not run, each with the reason."""
        found = list(selection.uncollected)
        if not scope.narrowed:
            found += self._untested(selection, run, scope)
        not_run = len(selection.selected - selection.reported)
        if not_run and not selection.uncollected and not scope.collect_only:
            found.append(
                f"{counted(not_run, 'contract test')} of {len(selection.selected)} did not run: "
                "the run ended early. Run all of them to the end"
            )
        found += self._skipped(selection, run)
        if not selection.selected and not found and not scope.optional:
            found.append(f"no contract test was selected for {self._replay.service}: nothing is proved")
        return found

    def _untested(self, selection: Selection, run: Run, scope: Scope) -> Iterator[str]:
        """Yield the operations, versions and messages that a whole run has to test, and this one did not."""
        wanted = self._wanted(scope)
        tested, selected = selection.keys(selection.collected), selection.keys(selection.selected)
        if not selection.uncollected:
            for operation, subject in sorted(wanted - tested):
                yield _MISSING[operation].format(subject=subject)
        for operation, subject in sorted(wanted & (tested - selected)):
            yield (
                f"{operation} {subject}: every test was deselected. Select one, or say on the command line which "
                "tests to run (-k, a node id)"
            )
        yield from _deselected(selection, wanted & selected)
        if not selection.uncollected and selection.selected <= selection.reported:
            yield from self._unplayed(selection, run, wanted & selected)
        if not scope.generated:
            for contract in self._unrecorded():
                yield (
                    f"{contract.name}: no message is recorded, and none was generated, so nothing shows that "
                    f"{self._replay.service} reads it; record some, or leave out what keeps messages from being "
                    "generated"
                )

    def _unplayed(self, selection: Selection, run: Run, wanted: Collection[Key]) -> Iterator[str]:
        """Yield the versions of which recorded messages were replayed by no test, not even one that was deselected."""
        played: dict[tuple[str, str, int], frozenset[int]] = {
            (each.operation, each.subject, each.version): each.recorded_lines for each in run.operations
        }
        deselected = {(each.operation, each.subject, each.version) for each, _ in selection.left_out()}
        for operation, subject in sorted(wanted):
            if operation not in OPERATIONS:
                continue
            for version, lines in self._lines(operation, subject).items():
                left = lines - played.get((operation, subject, version), frozenset())
                if left and (operation, subject, version) not in deselected:
                    advice = (
                        "mark a test with each `caused_by` that is recorded"
                        if operation == "produces"
                        else "leave out what takes tests out of the run"
                    )
                    messages = f"{len(left)} of {counted(len(lines), 'recorded message')}"
                    yield f"{operation} {subject} v{version}: no test ran with {messages}; {advice}"

    def _lines(self, operation: str, subject: str) -> Mapping[int, frozenset[int]]:
        """Return the lines of all recorded messages that an operation has to be replayed with, by version."""
        found: dict[int, set[int]] = defaultdict(set)
        try:
            messages = self._replay.required(operation, subject)
        except ContractTestError:  # an item says so
            return {}
        for each in messages:
            found[each.interaction.version].add(each.interaction.line)
        return {version: frozenset(lines) for version, lines in found.items()}

    def _skipped(self, selection: Selection, run: Run) -> Iterator[str]:
        """Yield the operations of which every test was skipped, and the messages that every test skipped."""
        skipped = selection.keys(selection.skipped) - selection.keys(selection.ran)
        for each in run.operations:
            left = each.skipped
            if left and (each.operation, each.subject) not in skipped:
                messages = f"{counted(len(left), 'message')} of {each.recorded + each.varied}"
                reason = next((played.reason for played in left if played.reason), "no reason given")
                yield (
                    f"{each.operation} {each.subject} v{each.version}: {messages} skipped ({reason}). "
                    "Let a test run with each message."
                )
        for operation, subject in sorted(skipped):
            if subject not in self._allow_empty:
                yield (
                    f"{operation} {subject}: every test was skipped, so nothing is proved; "
                    "let one run, or name the subject in allow_empty"
                )

    def partial(self, selection: Selection, run: Run, scope: Scope) -> str:
        """Return "partial: 2 of 3 operations" if tests were left out on the command line, else an empty text."""
        if scope.collect_only or not scope.narrowed or not list(self._untested(selection, run, scope)):
            return ""
        wanted = self._replay.operations
        tested = selection.keys(selection.reported)
        incomplete = {each.key for each, _ in selection.left_out()}
        incomplete |= {each for each in wanted & tested if list(self._unplayed(selection, run, [each]))}
        complete = {each for each in wanted if each in tested - incomplete or self.may_be_empty(each[1])}
        return f"partial: {len(complete)} of {counted(len(wanted), 'operation')}"

    def notes(self, selection: Selection, scope: Scope) -> list[str]:
        """Return what was let pass, and what was not tried with a recorded message."""
        tried = self._unrecorded() if scope.generated else []
        return [
            *(f"{contract.name}: no message is recorded; only generated ones were tried" for contract in tried),
            *self._let_pass(),
            *self._deselected_again(selection, scope),
        ]

    def _deselected_again(self, selection: Selection, scope: Scope) -> Iterator[str]:
        """Yield a line about deselected tests if each of their messages was replayed by another test."""
        count = len(selection.collected.keys() - selection.selected)
        if count and not scope.narrowed and not list(selection.left_out()):
            yield f"{counted(count, 'contract test')} deselected; other tests ran with the same messages"

    def _unrecorded(self) -> list[Contract]:
        return [each for each in self._replay.unrecorded() if each.subject not in self._allow_empty]

    def _let_pass(self) -> list[str]:
        return [
            f"{subject}: allow_empty, so nothing is asked of it"
            if self.may_be_empty(subject)
            else f"{subject}: allow_empty, but messages are recorded; take it out of allow_empty"
            for subject in self._allow_empty
        ]

    def may_be_empty(self, subject: str) -> bool:
        """Return whether the settings let this subject be without a recorded message, and it is."""
        return subject in self._allow_empty and not self._replay.recorded(subject)


def _deselected(selection: Selection, keys: Collection[Key]) -> Iterator[str]:
    """Yield the messages that were deselected, while other messages of the same operation ran."""
    deselected: dict[tuple[Key, int], int] = defaultdict(int)
    collected: dict[tuple[Key, int], set[str]] = defaultdict(set)
    for each, reason in selection.left_out():
        if reason == "deselected" and each.key in keys:
            deselected[each.key, each.version] += 1
    if deselected:
        for tests in selection.collected.values():
            for each in tests:
                collected[each.key, each.version].add(each.label)
    for ((operation, subject), version), count in sorted(deselected.items()):
        messages = f"{counted(count, 'message')} of {len(collected[(operation, subject), version])}"
        yield (
            f"{operation} {subject} v{version}: {messages} deselected. Let a test run with each message, or say on the "
            "command line which tests to run (-k, a node id)"
        )
