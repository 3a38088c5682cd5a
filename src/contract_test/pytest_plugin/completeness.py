"""What one run with `--contracts` has to prove, and what of it is missing. With xdist, the workers' parts together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from contract_test.data.contract import Contract
from contract_test.data.errors import CatalogError
from contract_test.replay.cases import Case, Replay
from contract_test.replay.deliveries import declares

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
_NARROWING = ("keyword", "lf", "deselect", "collectonly")


class Completeness:
    """Which operations have tests, and which were selected. `allow_empty` names subjects of which nothing is asked.

    Raises CatalogError where a subject there is none of this service's.
    """

    def __init__(self, replay: Replay, allow_empty: Collection[str]) -> None:
        self._replay, self._allow_empty = replay, sorted(allow_empty)
        self._tested: set[tuple[str, str]] = set()
        self._selected: set[tuple[str, str]] = set()
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
                self._tested.add((operation, subject))

    def selected(self, items: Iterable[pytest.Item]) -> None:
        """See what will run."""
        self._selected |= {each for item in items for each in _operations(item)}

    def uncollected(self, report: pytest.CollectReport) -> None:
        """Take note of a file whose tests are not known."""
        name = report.nodeid or "a file"
        imported = "ModuleNotFoundError" in report.longreprtext
        self._uncollected.append(f"{name} was not collected: see its error above" + (_IMPORTS if imported else ""))

    def send(self, config: pytest.Config) -> None:
        """Send what a worker of xdist saw to the controlling process."""
        output = getattr(config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = [sorted(self._tested), sorted(self._selected)]

    def receive(self, output: Mapping[str, Any]) -> None:
        """Receive in the controlling process what a worker saw."""
        tested, selected = output.get(_OUTPUT, ([], []))
        self._tested |= {(operation, subject) for operation, subject in tested}
        self._selected |= {(operation, subject) for operation, subject in selected}

    def mark(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Write on a report which operations it is about."""
        if report.when == "call" or not report.passed:
            setattr(report, _ATTRIBUTE, _operations(item))

    def see(self, report: pytest.TestReport) -> None:
        """Take note that something passed or failed, or was skipped."""
        seen = self._skipped if report.skipped else self._ran
        seen |= {(operation, subject) for operation, subject in getattr(report, _ATTRIBUTE, ())}

    def problems(self, config: pytest.Config) -> list[str]:
        """Return what keeps this run from being green."""
        wanted = self._replay.operations | (frozenset() if config.getoption("--contracts-bulk") else self._deliveries)
        missing = wanted - self._tested if is_whole(config) and not self._uncollected else frozenset()
        found = list(self._uncollected)
        found += [
            _MISSING[operation].format(subject=subject)
            for operation, subject in sorted(missing)
            if subject not in self._allow_empty
        ]
        if not config.getoption("collectonly"):
            found += [
                f"{operation} {subject}: every test was skipped, so nothing is proved; "
                "let one run, or name the subject in allow_empty"
                for operation, subject in sorted(self._skipped - self._ran)
                if subject not in self._allow_empty
            ]
        if is_whole(config) and not _generates(config):
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


def is_whole(config: pytest.Config) -> bool:
    """Return whether nothing narrows the run: then every operation has to have a test."""
    if any(config.getoption(option, None) for option in _NARROWING):
        return False
    start = config.invocation_params.dir
    return not any("::" in argument or Path(start, argument).is_file() for argument in config.args)
