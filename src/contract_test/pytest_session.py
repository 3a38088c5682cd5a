"""What the pytest plugin knows during one run with `--contracts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from contract_test.data.errors import ContractTestError
from contract_test.data.interaction import Mismatch
from contract_test.data.result import Outcome, Played, Run
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import installed_contracts, runtime_catalog
from contract_test.files.settings import read_settings
from contract_test.report.failure import failure_text
from contract_test.report.summary import summary_lines
from contract_test.use_cases.failing import failure_of
from contract_test.use_cases.gathering import Gathering, as_text, from_text
from contract_test.use_cases.replay import Case, Replay

_OPERATIONS = ("consumes", "produces")
_RESULT = "contract_result"
_MISMATCHES = pytest.StashKey[Sequence[Mismatch]]()


class ContractSession:
    """Cases in, verdicts out. Raises pytest.UsageError where there is nothing to replay."""

    def __init__(self, config: pytest.Config) -> None:
        try:
            here = config.invocation_params.dir  # not the rootdir, which pytest may take from an option's value
            settings, home = read_settings(here)
            given = config.getoption("--contracts-dir")
            root = here / given if given else home / settings.contracts if settings.contracts else None
            catalog = load_catalog(root or installed_contracts(settings.package))
            self.replay = Replay(catalog, runtime_catalog(settings.package), settings.service)
        except ContractTestError as error:
            raise pytest.UsageError(str(error)) from None
        self._tested: set[tuple[str, str]] = set()
        self._untested: set[tuple[str, str]] = set()
        self._items = 0
        self._gathering = Gathering()

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Give a marked test one item a recorded message; one that fails where there is none."""
        for operation in _OPERATIONS:
            marker = next(metafunc.definition.iter_markers(operation), None)
            if marker is None:
                continue
            if "contract_case" not in metafunc.fixturenames:
                metafunc.fixturenames.append("contract_case")
            cases: list[Case | Exception]
            try:
                cases = list(self._cases(operation, *marker.args, **marker.kwargs))
            except (ContractTestError, TypeError) as error:
                cases = [error]
            ids = [case.label if isinstance(case, Case) else "nothing-to-replay" for case in cases]
            metafunc.parametrize("contract_case", cases, indirect=True, ids=ids)

    def collected(self, items: list[pytest.Item]) -> None:
        """Mark the contract tests, so that `-m contract` selects them."""
        for item in items:
            for operation in _OPERATIONS:
                marker = item.get_closest_marker(operation)
                if marker is not None and marker.args:
                    item.add_marker("contract")
                    self._tested.add((operation, str(marker.args[0])))

    def selected(self, session: pytest.Session) -> None:
        """See what will run; a whole run has to have a test for every operation."""
        self._items = sum(item.get_closest_marker("contract") is not None for item in session.items)
        config = session.config
        selecting = any(config.getoption(option, None) for option in ("keyword", "lf", "deselect", "collectonly"))
        whole = not selecting and config.args_source != pytest.Config.ArgsSource.ARGS
        if whole:
            self._untested = set(self.replay.operations - self._tested)

    def called(self, item: pytest.Function, emitted: list[Any]) -> None:
        """After a producer's test: hold what it emitted against the recording."""
        case = _case(item)
        if case is None or case.operation != "produces":
            return
        found = self.replay.judge(case, emitted)
        if found:
            item.stash[_MISMATCHES] = found
            listed = "\n".join(f"  {mismatch}" for mismatch in found)
            pytest.fail(f"{case.label}: what was emitted is not what was recorded\n{listed}", pytrace=False)

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put what became of a message into the report: as data, and in words where it failed."""
        case = _case(item)
        if case is None or not (report.when == "call" or report.failed or report.skipped):
            return
        failure = None
        if report.failed:
            error = call.excinfo.value if call.excinfo else None
            failure = failure_of(case, error, item.stash.get(_MISMATCHES, ()))
            report.sections.append(("contract", failure_text(case, failure)))
        outcome: Outcome = report.outcome
        played = Played(
            report.nodeid,
            case.subject.name,
            case.version,
            case.operation,
            outcome,
            place=case.message.interaction.place,
            failure=failure,
            message=case.given_text if failure else "",
            expected=case.expected_text if failure else "",
        )
        setattr(report, _RESULT, as_text(played))  # an attribute of the report goes with it, from xdist's workers too

    def count(self, report: pytest.TestReport) -> None:
        """Take in one phase of one item."""
        played = getattr(report, _RESULT, None)
        if played is not None:
            self._gathering.add(from_text(played))

    @property
    def run(self) -> Run:
        """What was found so far."""
        return self._gathering.run(self.replay.service, self.replay.catalog, self._problems())

    def finish(self, session: pytest.Session) -> None:
        """A run that proved nothing, or left an operation out, is red."""
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and self._problems():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Show the table, and what is missing."""
        reporter.section(f"contracts of {self.replay.service}")
        run = self.run
        for line in summary_lines(run):
            reporter.line(line)
        for problem in run.problems:
            reporter.line(problem, red=True)

    def _problems(self) -> list[str]:
        problems = [
            f"no test for an operation of this service: {operation} {subject}; mark one with "
            f'@pytest.mark.{operation}("{subject}")'
            for operation, subject in sorted(self._untested)
        ]
        if self._items == 0 and not problems:
            problems.append(f"no contract test was selected for {self.replay.service}: nothing is proved")
        return problems

    def _cases(self, operation: str, subject: str, caused_by: str | None = None) -> list[Case]:
        if operation == "consumes":
            return self.replay.consumer_cases(subject)
        return self.replay.producer_cases(subject, caused_by)


def _case(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("contract_case") if callspec is not None else None
    return case if isinstance(case, Case) else None
