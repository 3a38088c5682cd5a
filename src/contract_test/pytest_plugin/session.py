"""What the pytest plugin knows during one run with `--contracts`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, NoReturn

import pytest

from contract_test.data.durations import parse_duration
from contract_test.data.errors import (
    CatalogError,
    ContractTestError,
    NothingFoundError,
    ReportError,
    UnplayableError,
)
from contract_test.data.interaction import Mismatch
from contract_test.data.result import Failure, GivenMessage, MessageResult, Outcome, Run
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import check_package, check_recordings, installed_contracts, runtime_catalog
from contract_test.files.reader_files import FOLDER, write_readers
from contract_test.files.settings import Settings
from contract_test.files.state import hide
from contract_test.pytest_plugin.bulk import TALLY, all_in_one
from contract_test.pytest_plugin.completeness import Completeness
from contract_test.pytest_plugin.parametrization import Cases
from contract_test.pytest_plugin.redelivery import delivered, twice
from contract_test.pytest_plugin.reruns import FAULTS, READS, Reruns
from contract_test.pytest_plugin.service_settings import OwnTests, service_settings
from contract_test.pytest_plugin.tracebacks import make_inert
from contract_test.pytest_plugin.unawaited import ADVICE, everything_awaited
from contract_test.recordings.messages import Message, pointer_in_line
from contract_test.replay.cases import Case, Replay
from contract_test.replay.coverage import coverage_of, too_little
from contract_test.replay.diagnosis import failure_of, no_cause, not_a_consumer, not_a_producer
from contract_test.replay.field_access import FieldAccess, code_of, forget
from contract_test.replay.results import ItemReport, ResultCollector, as_text, from_text
from contract_test.replay.unused_message import UnreadError, check_reading, decoded_too
from contract_test.report.failure import failure_text
from contract_test.report.run_files import report_paths, write_reports
from contract_test.report.run_github import run_as_github
from contract_test.report.summary import failure_lines, summary_lines, survivor_lines
from envelopes import Envelope

_RESULT = "contract_result"
MIN_COLUMNS = 80
"""As many columns as are taken for granted where no terminal says how many there are."""
_GIVEN = pytest.StashKey[tuple[Message, Envelope[Any], FieldAccess]]()
_MISMATCHES = pytest.StashKey[Sequence[Mismatch]]()


class ContractSession:
    """Cases in, verdicts out. Raises pytest.UsageError where there is nothing to replay."""

    def __init__(self, config: pytest.Config) -> None:
        try:
            here = config.invocation_params.dir
            settings, file = service_settings(config)
            home = file.folder
            given = config.getoption("--contracts-dir")
            catalog = load_catalog(_contracts_folder(here / given if given else None, settings, home))
            readers = config.getoption("--contracts-readers")
            self._own_folder = None if readers else home / ".contract-test"
            self._readers_folder = here / readers if readers else home / ".contract-test" / FOLDER
            runtime = runtime_catalog(settings.package)
            self.replay = Replay(catalog, runtime, settings.service)
            self.own_tests = OwnTests(config, settings, file, self.replay)
            check_package(self.replay.subjects, runtime)
            check_recordings(settings.package, catalog.root)
            self._completeness = Completeness(self.replay, settings.allow_empty)
            self._max_age = _max_age(config.getoption("--contracts-max-age"))
            self._reports = report_paths(here, config.getoption("--contracts-report"))
        except ContractTestError as error:
            raise pytest.UsageError(str(error)) from None
        mutating = config.getoption("--contracts-mutate")
        if mutating and config.getoption("--contracts-bulk"):
            raise pytest.UsageError("--contracts-mutate breaks one message at a time; leave --contracts-bulk out")
        if config.getoption("--contracts-min-strength") is not None and not mutating:
            raise pytest.UsageError("--contracts-min-strength is about what --contracts-mutate finds; give both")
        self._config = config
        self._cases = Cases(config, self.replay, self._completeness)
        self._collector = ResultCollector()
        self._run: Run | None = None

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Give a marked test one item a recorded message; one that fails where there is none."""
        markers = self.own_tests.markers(metafunc.definition)
        if not markers:
            return
        if "contract_case" not in metafunc.fixturenames:
            metafunc.fixturenames.append("contract_case")
        delivered = "contract_state" in metafunc.fixturenames
        cases = [case for marker in markers for case in self._cases.of(marker, delivered=delivered)]
        metafunc.parametrize("contract_case", cases, indirect=True)

    def collected(self, items: list[pytest.Item]) -> None:
        """Mark this service's contract tests, so that `-m contract` selects them; leave out those of others."""
        self.own_tests.leave_out_others(items)
        self._completeness.collected(items)

    def selected(self, session: pytest.Session) -> None:
        """See what will run."""
        self._completeness.selected(session.items)

    def received(self, output: Mapping[str, Any]) -> None:
        """Take over what a worker of xdist saw."""
        self._completeness.receive(output)

    @contextmanager
    def calling(self, item: pytest.Function, emitted: list[Any]) -> Iterator[None]:
        """Yield what surrounds the call of a test: one message, a delivery of some, or all of a contract."""
        case = _case(item)
        if case is None:
            yield
            return
        with self._surrounding(item, case, emitted), everything_awaited():
            yield
        if case.operation == "produces" and not case.bulk:
            self._check_emitted(item, case, emitted)

    def protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run an item whose message may still be chosen; None leaves it to pytest."""
        case = _case(item)
        mutating = self._config.getoption("--contracts-mutate")
        if case is None or case.bulk or (case.origin == "recorded" and not mutating):
            return None
        generated = self._config.getoption("--contracts-generated")
        return Reruns(self.replay, generated, lambda: _watched(item)).protocol(item, case, nextitem)

    def collecting(self, report: pytest.CollectReport) -> None:
        """Take note of a file that cannot be collected: its tests are not known."""
        if report.failed:
            self._completeness.uncollected(report)

    @staticmethod
    def begin(item: pytest.Item) -> None:
        """Forget what an earlier run of the item left."""
        if _GIVEN in item.stash:
            del item.stash[_GIVEN]
        item.stash[_MISMATCHES] = ()

    def given(self, item: pytest.Item, message: Message) -> Envelope[Any]:
        """Return the message that the test of an item gets, watched; the same one however often it is asked for."""
        if _GIVEN not in item.stash:
            case = _case(item)
            replaced = case.replaced if case is not None else {}
            watch = FieldAccess(code_of(getattr(item, "function", None)), replaced)
            envelope = replace(message.envelope, data=watch.over(message.envelope.data))
            item.stash[_GIVEN] = (message, envelope, watch)
        return item.stash[_GIVEN][1]

    def consumed(self, request: pytest.FixtureRequest, case: Case) -> Envelope[Any]:
        """Return the message that a consumer's test gets. Fails a producer's, which could emit it and prove nothing."""
        if case.operation == "produces":
            _refuse(not_a_consumer(str(request.fixturename)))
        return self.given(request.node, case.message)

    @staticmethod
    def producing(fixture: str, case: Case) -> None:
        """Fail a consumer's test that asks for `emits` or `recorded`: nothing would check what it emits."""
        if case.operation == "consumes":
            _refuse(not_a_producer(fixture))

    @staticmethod
    def cause_of(case: Case) -> Message:
        """Return the message that caused the recorded one. Fails the test where there is none."""
        if case.cause is None:
            _refuse(no_cause(case))
        return case.cause

    def _surrounding(self, item: pytest.Function, case: Case, emitted: list[Any]) -> AbstractContextManager[Any]:
        if case.bulk:
            return all_in_one(item, case.bulk, emitted, self.replay.check_emitted)
        if case.delivery is not None:
            return delivered(item, case, case.delivery)
        return twice(item) if case.twice else self._read(item, case)

    @contextmanager
    def _read(self, item: pytest.Function, case: Case) -> Iterator[None]:
        """See what is read of the message that a test was given; a consumer's has to be read."""
        given = case.message if case.operation == "consumes" else case.cause
        if given is None:  # at the edge
            yield
            return

        def watch() -> FieldAccess:  # at any time: a test may ask for its message late
            self.given(item, given)
            return item.stash[_GIVEN][2]

        with decoded_too(watch, type(given.envelope.data)) as failed:
            yield
        if case.operation == "consumes":
            try:
                check_reading(watch(), failed, case.message, recorded=case.origin == "recorded")
            except UnreadError as error:
                raise pytest.fail.Exception(error.problem, pytrace=False) from None  # its context is what is reported

    def _check_emitted(self, item: pytest.Function, case: Case, emitted: list[Any]) -> None:
        """After a producer's test: check what it emitted against the recording."""
        found = self.replay.check_emitted(case, emitted)
        if found:
            item.stash[_MISMATCHES] = found
            listed = "\n".join(f"  {mismatch}" for mismatch in found)
            pytest.fail(f"{case.label}: what was emitted is not what was recorded\n{listed}", pytrace=False)
        if any(each is case.message.envelope.data for each in emitted):
            warning_text = f"{item.name}: `emits` got `recorded` itself, so nothing of the service was tested"
            item.warn(pytest.PytestWarning(warning_text))

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put what became of a message into the report: as data, and in words where it failed."""
        self._completeness.mark(item, report)
        case = _case(item)
        if case is None or not (report.when == "call" or report.failed or report.skipped):
            return
        failure = None
        if report.failed:
            error = call.excinfo.value if call.excinfo else None
            failure = _failure(item, error, case, call)
            make_inert(report)
            report.sections.append(("contract", failure_text(case, failure)))
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                report.sections.append(("async", f"if nothing awaited this test: {ADVICE}"))
        outcome: Outcome = report.outcome
        tally = item.stash.get(TALLY, None)
        if tally is not None and tally.failed:
            report.sections.append(("every message that failed", tally.text))
        given, reads, test_reads = _seen(item)
        played = MessageResult(
            report.nodeid,
            case.subject.name,
            case.version,
            case.operation,
            outcome,
            case.origin,
            self._place(case),
            case.change,
            pointer_in_line(case.message.data_path),
            given=given,
            reads=reads if report.passed else (),
            test_reads=test_reads if report.passed else (),
            failure=failure,
            message=case.given_text if failure or case.change else "",
            expected=case.expected_text if failure else "",
            faults=item.stash.get(FAULTS, ()) if report.when == "call" else (),
        )
        item_reports = (
            [ItemReport(played)] if tally is None else list(tally.item_reports(replace(played, given=_given(case))))
        )
        setattr(
            report, _RESULT, as_text(item_reports)
        )  # an attribute of the report goes with it, from xdist's workers too

    def _place(self, case: Case) -> str:
        """The recorded line, from where pytest was started if it is below."""
        path, line = case.message.interaction.path, case.message.interaction.line
        here = self._config.invocation_params.dir
        return f"{path.relative_to(here) if path is not None and path.is_relative_to(here) else path}:{line}"

    def count(self, report: pytest.TestReport) -> None:
        """Take in one phase of one item."""
        self._completeness.see(report)
        text = getattr(report, _RESULT, None)
        if text is not None:
            self._collector.add(from_text(text))

    def _result(self) -> Run:
        """What was found so far."""
        run = self._collector.run(self.replay.service, self.replay.catalog)
        run = replace(run, coverage=coverage_of(self.replay, self._collector.played))
        least = [self._config.getoption(f"--contracts-min-{what}") for what in ("coverage", "strength")]
        return replace(
            run,
            problems=(*self._completeness.problems(self._config, run), *too_little(run, *least)),
            notes=(*self._completeness.notes(self._config), *self.own_tests.note(), *self.replay.old(self._max_age)),
        )

    def finish(self, session: pytest.Session) -> None:
        """Fail a run that proved nothing, or left an operation out."""
        self._completeness.send(session.config)
        forget()
        if hasattr(session.config, "workerinput"):
            return
        run = self._result()
        try:
            write_reports(run, self._reports)
        except ReportError as error:
            run = replace(run, problems=(*run.problems, str(error)))
        self._run = run
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and run.problems:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        skipped = any(each.count("skipped") for each in run.operations)
        if run.readers and not skipped and self._completeness.is_complete(session.config):
            if self._own_folder is not None:
                hide(self._own_folder)
            write_readers(self._readers_folder, self.replay.service, run.readers, self.replay.catalog)

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Show the table, and what is missing."""
        reporter.section(f"contracts of {self.replay.service}")
        if partial := self._completeness.partial(self._config):
            reporter.line(partial, yellow=True)
        run = self._run or self._result()  # known already, unless the session did not come to its end
        columns = get_terminal_size((0, 0)).columns
        width = (
            columns if reporter.isatty or columns < MIN_COLUMNS else 0
        )  # in a pipe only where somebody asks for less
        for line in (*summary_lines(run, width), *survivor_lines(run), *failure_lines(run)):
            reporter.line(line)
        for note in run.notes:
            reporter.line(note, yellow=True)
        for problem in run.problems:
            reporter.line(problem, red=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            reporter.write(run_as_github(run))


def _contracts_folder(given: Path | None, settings: Settings, home: Path) -> Path:
    """Where the contracts are. Raises NothingFoundError that names the option and the setting."""
    if given is None and settings.contracts is None:
        return installed_contracts(settings.package, "--contracts-dir")
    root = Path(os.path.normpath(given or home / (settings.contracts or "")))
    if not root.is_dir():
        advice = "Correct `contracts` of [tool.contract-test] in pyproject.toml, or name one with --contracts-dir DIR."
        raise NothingFoundError("there is no such directory", place=str(root), advice=advice)
    return root


def _failure(item: pytest.Item, error: BaseException | None, case: Case, call: pytest.CallInfo[None]) -> Failure:
    """Why an item failed: what pytest itself finds wrong with a test has an advice of its own."""
    found = item.stash.get(_MISMATCHES, ())
    failure = failure_of(error, found, case.operation, began=call.when != "setup")
    if isinstance(error, pytest.FixtureLookupError):
        advice = "Write it, in the file of the tests or in conftest.py, or correct its name."
        return replace(failure, sentence=f"there is no fixture `{error.argname}`", advice=advice)
    if isinstance(error, pytest.fail.Exception) and "async def" in str(error):
        return replace(failure, advice=ADVICE)
    return failure


def _refuse(error: UnplayableError) -> NoReturn:
    raise pytest.fail.Exception(str(error), pytrace=False) from error


def _max_age(text: str) -> timedelta:
    """Read the option. Raises CatalogError that shows how to write it."""
    age = parse_duration(text)
    if age is None:
        raise CatalogError(f"--contracts-max-age {text!r} is not a time", advice="Write it as 90d or 12h.")
    return age


def _watched(item: pytest.Item) -> tuple[Message, FieldAccess] | None:
    """The message that an item was given last, and what was read of it."""
    if _GIVEN not in item.stash:
        return None
    message, _, watch = item.stash[_GIVEN]
    return message, watch


def _seen(item: pytest.Item) -> tuple[GivenMessage | None, tuple[str, ...], tuple[str, ...]]:
    """What an item was given, and what was read of it: by the service, and by its test."""
    if _GIVEN not in item.stash:
        return None, (), ()
    message, _, watch = item.stash[_GIVEN]
    interaction = message.interaction
    given = GivenMessage(interaction.subject, interaction.version, interaction.place)
    by_service, by_test = item.stash.get(READS, (frozenset(), frozenset()))
    return given, tuple(sorted(watch.by_service | by_service)), tuple(sorted(watch.by_test | by_test))


def _given(case: Case) -> GivenMessage:
    interaction = (case.cause or case.message).interaction
    return GivenMessage(interaction.subject, interaction.version, interaction.place)


def _case(item: pytest.Item) -> Case | None:
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("contract_case") if callspec is not None else None
    return case if isinstance(case, Case) else None
