"""Which contract tests this run collects and runs, as pytest reports them; with xdist, in all workers together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from contract_test.data.texts import printable
from contract_test.replay.cases import Case
from contract_test.replay.completeness import DELIVERED, OPERATIONS
from contract_test.replay.selection import Selection, Tested

_IMPORTS = "; what stands in this folder is found by `python -m pytest --contracts`, or once it is installed"
_OUTPUT = "contract-test"
_ATTRIBUTE = "is_contract_test"
ACCEPTED = "contract_accepted"
"""The attribute of a report whose failure is accepted: pytest shows it as an expected one."""


class Tracker:
    """Fills in the `selection` of a run."""

    def __init__(self) -> None:
        self.selection = Selection()

    def collected(self, items: Iterable[pytest.Item]) -> None:
        """See which operations have a test. Raises pytest.UsageError where a test cannot be given messages."""
        for item in items:
            tested = tuple(_tested(item))
            if not tested:
                continue
            if "contract_case" not in getattr(getattr(item, "callspec", None), "params", ()):
                raise pytest.UsageError(
                    f"{item.nodeid}: a method of a unittest.TestCase cannot be given recorded messages; "
                    "make it a function, or a method of a plain class"
                )
            item.add_marker("contract")
            self.selection.collected[item.nodeid] = tested

    def selected(self, items: Iterable[pytest.Item]) -> None:
        """Note the contract tests that will run."""
        self.selection.selected |= {item.nodeid for item in items if _is_contract_test(item)}

    def uncollected(self, report: pytest.CollectReport) -> None:
        """Take note of a file whose tests are not known."""
        name = report.nodeid or "a file"
        imported = "ModuleNotFoundError" in report.longreprtext
        self.selection.uncollected.append(
            f"{name} was not collected: see its error above" + (_IMPORTS if imported else "")
        )

    def send(self, config: pytest.Config) -> None:
        """Send what a worker of xdist saw to the controlling process."""
        output = getattr(config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = self.selection.as_json() | {"reported": [], "skipped": []}  # the reports say so

    def receive(self, output: Mapping[str, Any]) -> None:
        """Receive in the controlling process what a worker saw."""
        if _OUTPUT in output:
            self.selection.add(Selection.from_json(output[_OUTPUT]))

    @staticmethod
    def mark(item: pytest.Item, report: pytest.TestReport) -> None:
        """Write on a report that it is about a contract test."""
        if (report.when == "call" or not report.passed) and _is_contract_test(item):
            setattr(report, _ATTRIBUTE, True)

    def see(self, report: pytest.TestReport) -> None:
        """Take note that a contract test passed or failed, or was skipped."""
        if not getattr(report, _ATTRIBUTE, False):
            return
        selection = self.selection
        if report.skipped and not getattr(report, ACCEPTED, False):
            if report.nodeid not in selection.reported:
                selection.skipped.add(report.nodeid)
        else:
            selection.skipped.discard(report.nodeid)
        selection.reported.add(report.nodeid)


def _is_contract_test(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(operation) is not None for operation in OPERATIONS)


def _tested(item: pytest.Item) -> Iterator[Tested]:
    case = getattr(getattr(item, "callspec", None), "params", {}).get("contract_case")
    if isinstance(case, Case):
        yield Tested(case.operation, case.subject.name, case.version, case.label)
        if case.delivery is not None:
            yield Tested(DELIVERED, case.subject.name, case.version, case.label)
        return
    for operation in OPERATIONS:
        for marker in item.iter_markers(operation):
            yield Tested(operation, str(marker.args[0] if marker.args else marker.kwargs.get("subject", "")))


def skip_reason(report: pytest.TestReport) -> str:
    """Return why an item was skipped, or is expected to fail, in the words of its test."""
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return f"xfail: {expected}" if expected else "xfail"
    text = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
    return printable(text.removeprefix("Skipped: "))
