"""What one run with `--contracts` has to prove, and what of it is missing. With xdist, the workers' parts together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from contract_test.data.contract import Contract
from contract_test.data.errors import CatalogError
from contract_test.data.result import Run
from contract_test.data.texts import counted
from contract_test.replay.cases import Case, Replay
from contract_test.replay.deliveries import declares
from contract_test.report.inert import printable

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
_IMPORTS = "; what stands in this folder is found by `python -m pytest --contracts`, or once it is installed"
_OUTPUT = "contract-test"
_ATTRIBUTE = "contract_operations"
_KEYWORD = re.compile(r"-[lqsvx]*k")
_LAST_FAILED = {"--lf", "--last-failed"}


class Completeness:
    """Which operations have tests, and which were selected. `allow_empty` names subjects of which nothing is asked.

    Raises CatalogError where a subject there is none of this service's.
    """

    def __init__(self, replay: Replay, allow_empty: Collection[str]) -> None:
        self._replay, self._allow_empty = replay, sorted(allow_empty)
        self._tested: Counter[tuple[str, str]] = Counter()
        self._selected: Counter[tuple[str, str]] = Counter()
        self._items = 0
        self._reported: set[str] = set()
        self._reasons: dict[tuple[str, str], str] = {}
        self._ran: set[tuple[str, str]] = set()
        self._skipped: set[tuple[str, str]] = set()
        self._uncollected: list[str] = []
        self._deliveries = frozenset(
            (DELIVERED, subject.name) for subject in replay.catalog.received_by(replay.service) if declares(subject)
        )
        own = {subject for _, subject in replay.operations}
        for subject in self._allow_empty:
            if subject not in own:
                advice = f"Take it out. {replay.service} sends and receives {', '.join(sorted(own))}."
                raise CatalogError(f"allow_empty names {subject!r}, no subject of {replay.service}", advice=advice)

    def collected(self, items: Iterable[pytest.Item]) -> None:
        """See which operations have a test. Raises pytest.UsageError where a test cannot be given messages."""
        for item in items:
            for operation, subject in _operations(item):
                if "contract_case" not in getattr(getattr(item, "callspec", None), "params", ()):
                    raise pytest.UsageError(
                        f"{item.nodeid}: a method of a unittest.TestCase cannot be given recorded messages; "
                        "make it a function, or a method of a plain class"
                    )
                item.add_marker("contract")
                self._tested[operation, subject] += 1

    def selected(self, items: Iterable[pytest.Item]) -> None:
        """Count the contract tests that will run."""
        for item in items:
            operations = _operations(item)
            self._selected.update(operations)
            self._items += bool(operations)

    def uncollected(self, report: pytest.CollectReport) -> None:
        """Take note of a file whose tests are not known."""
        name = report.nodeid or "a file"
        imported = "ModuleNotFoundError" in report.longreprtext
        self._uncollected.append(f"{name} was not collected: see its error above" + (_IMPORTS if imported else ""))

    def send(self, config: pytest.Config) -> None:
        """Send what a worker of xdist saw to the controlling process."""
        output = getattr(config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = [sorted(self._tested.items()), sorted(self._selected.items()), self._items]

    def receive(self, output: Mapping[str, Any]) -> None:
        """Receive in the controlling process what a worker saw."""
        tested, selected, items = output.get(_OUTPUT, ([], [], 0))
        self._tested |= Counter({(operation, subject): count for (operation, subject), count in tested})
        self._selected |= Counter({(operation, subject): count for (operation, subject), count in selected})
        self._items = max(self._items, items)

    def mark(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Write on a report which operations it is about."""
        if report.when == "call" or not report.passed:
            setattr(report, _ATTRIBUTE, _operations(item))

    def see(self, report: pytest.TestReport) -> None:
        """Take note that something passed or failed, or was skipped."""
        seen = self._skipped if report.skipped else self._ran
        operations = [(operation, subject) for operation, subject in getattr(report, _ATTRIBUTE, ())]
        seen.update(operations)
        if operations:
            self._reported.add(report.nodeid)
        if report.skipped:
            self._reasons.update(dict.fromkeys(operations, _reason(report)))

    def partial(self, config: pytest.Config) -> str:
        """Return "partial: 2 of 3 operations" if the command line left contract tests out, else an empty text."""
        wanted = self._replay.operations
        complete = {each for each in wanted if self._tested[each] and self._selected[each] == self._tested[each]}
        complete |= {each for each in wanted if self.may_be_empty(each[1])}
        left_out = len(wanted) - len(complete)
        return (
            f"partial: {len(complete)} of {counted(len(wanted), 'operation')}" if narrowed(config) and left_out else ""
        )

    def is_complete(self, config: pytest.Config) -> bool:
        """Return True if every contract test of the service was selected and has run."""
        return not narrowed(config) and self._selected == self._tested and self._items == len(self._reported)

    def _skipped_messages(self, run: Run) -> list[str]:
        """Name the messages that every test skipped, for each version of an operation."""
        found = []
        for each in run.operations:
            key = each.operation, each.subject
            if key in self._skipped - self._ran:
                continue  # the operation as a whole is reported
            skipped = {(played.place, played.change) for played in each.played if played.outcome == "skipped"}
            skipped -= {(played.place, played.change) for played in each.played if played.outcome != "skipped"}
            if skipped:
                messages = f"{counted(len(skipped), 'message')} of {each.recorded + each.varied}"
                reason = self._reasons.get(key) or "no reason given"
                found.append(
                    f"{each.operation} {each.subject} v{each.version}: {messages} skipped ({reason}). "
                    "Let a test run with each message."
                )
        return found

    def problems(self, config: pytest.Config, run: Run) -> list[str]:
        """Return what keeps this run from being green."""
        wanted = self._replay.operations | (frozenset() if config.getoption("--contracts-bulk") else self._deliveries)
        required = not narrowed(config) and not config.getoption("collectonly")
        missing = wanted - self._tested.keys() if required and not self._uncollected else frozenset()
        found = list(self._uncollected)
        found += [
            _MISSING[operation].format(subject=subject)
            for operation, subject in sorted(missing)
            if subject not in self._allow_empty
        ]
        if required:
            found += [
                f"{operation} {subject}: every test was deselected. Select one, or say on the command line which tests "
                "to run (-k, a node id)"
                for operation, subject in sorted(wanted & (self._tested.keys() - self._selected.keys()))
                if subject not in self._allow_empty
            ]
        if not config.getoption("collectonly"):
            if self._items > len(self._reported) and not self._uncollected:
                found.append(
                    f"{counted(self._items - len(self._reported), 'contract test')} of {self._items} did not run: "
                    "the run ended early. Run all of them to the end"
                )
            found += self._skipped_messages(run)
            found += [
                f"{operation} {subject}: every test was skipped, so nothing is proved; "
                "let one run, or name the subject in allow_empty"
                for operation, subject in sorted(self._skipped - self._ran)
                if subject not in self._allow_empty
            ]
        if required and not _generates(config):
            found += [
                f"{contract.name}: no message is recorded, and none was generated, so nothing shows that "
                f"{self._replay.service} reads it; record some, or leave out what keeps messages from being generated"
                for contract in self._unrecorded()
            ]
        if not self._selected and not found:
            found.append(f"no contract test was selected for {self._replay.service}: nothing is proved")
        return found

    def notes(self, config: pytest.Config) -> list[str]:
        """Return what was let pass, and what was not tried with a recorded message."""
        tried = self._unrecorded() if _generates(config) else []
        return [
            *(f"{contract.name}: no message is recorded; only generated ones were tried" for contract in tried),
            *self._let_pass(),
        ]

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


def _operations(item: pytest.Item) -> list[tuple[str, str]]:
    case = getattr(getattr(item, "callspec", None), "params", {}).get("contract_case")
    if isinstance(case, Case):
        delivered = [(DELIVERED, case.subject.name)] if case.delivery is not None else []
        return [(case.operation, case.subject.name), *delivered]
    return [
        (operation, str(marker.args[0]) if marker.args else "")
        for operation in OPERATIONS
        for marker in item.iter_markers(operation)
    ]


def _generates(config: pytest.Config) -> bool:
    narrowed = config.getoption("--contracts-bulk") or config.getoption("--contracts-only-recorded")
    return not narrowed and config.getoption("--contracts-generated") > 0


def narrowed(config: pytest.Config) -> bool:
    """Return True if somebody selected tests on the command line itself: with -k, --lf, a node id or a file.

    What `addopts`, `testpaths` and `PYTEST_ADDOPTS` select does not count, nor do `-m` and `--deselect`.
    """
    given = [str(argument) for argument in config.invocation_params.args]
    if config.getoption("keyword", "") and any(map(_KEYWORD.match, given)):
        return True
    if _LAST_FAILED.intersection(given):
        return True
    start, chosen = config.invocation_params.dir, set(given).intersection(map(str, config.args))
    return any("::" in argument or Path(start, argument).is_file() for argument in chosen)


def _reason(report: pytest.TestReport) -> str:
    """Return why an item was skipped, or is expected to fail, in the words of its test."""
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return f"xfail: {expected}" if expected else "xfail"
    text = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
    return printable(text.removeprefix("Skipped: "))
