"""What the pytest plugin knows during one run with `--contracts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from contract_test.data.errors import ContractTestError, UnplayableError
from contract_test.pytest_plugin.bulk import Surroundings, all_in_one
from contract_test.pytest_plugin.effects import watch_effect
from contract_test.pytest_plugin.ending import Ending
from contract_test.pytest_plugin.items import (
    EMITTED,
    GIVEN,
    HIDDEN,
    MISMATCHES,
    READING,
    RECORDED,
    SENT,
    begin,
    case_of,
    watched_of,
)
from contract_test.pytest_plugin.outcomes import RESULT, Outcomes
from contract_test.pytest_plugin.parametrization import Cases
from contract_test.pytest_plugin.pending import marked_pending
from contract_test.pytest_plugin.redelivery import delivered, twice
from contract_test.pytest_plugin.reruns import Reruns
from contract_test.pytest_plugin.service_settings import OwnTests, service_settings
from contract_test.pytest_plugin.tracking import Tracker
from contract_test.pytest_plugin.unawaited import everything_awaited
from contract_test.recordings.messages import Message
from contract_test.replay.cases import Case
from contract_test.replay.copies import RecordedMessage, copied
from contract_test.replay.diagnosis import no_cause, not_a_consumer, not_a_producer, other_case, several_causes
from contract_test.replay.field_access import FieldAccess, forget
from contract_test.replay.hidden_errors import MARKER, HiddenErrors
from contract_test.replay.results import ResultCollector, from_text
from contract_test.replay.service import open_service
from contract_test.replay.test_files import TestFiles
from contract_test.replay.unused_message import (
    Reading,
    UnreadError,
    check_reading,
    decoded_too,
    encoding_watched,
    mocks_watched,
)
from envelopes import Envelope


class ContractSession:
    """Cases in, verdicts out. Raises pytest.UsageError where there is nothing to replay."""

    def __init__(self, config: pytest.Config) -> None:
        here = config.invocation_params.dir  # not the rootdir, which pytest may take from an option's value
        given = config.getoption("--contracts-dir")
        self._tracker, self._collector = Tracker(), ResultCollector()
        try:
            settings, file = service_settings(config)
            service = open_service(settings, file.folder, here / given if given else None, "--contracts-dir")
            self.own_tests = OwnTests(config, settings, file, service.replay)
            self._ending = Ending(config, service, self._tracker, self._collector, self.own_tests.note)
        except ContractTestError as error:
            raise pytest.UsageError(str(error)) from None
        self.replay = service.replay
        mutating = config.getoption("--contracts-mutate")
        if mutating and config.getoption("--contracts-bulk"):
            raise pytest.UsageError("--contracts-mutate breaks one message at a time; leave --contracts-bulk out")
        if config.getoption("--contracts-min-strength") is not None and not mutating:
            raise pytest.UsageError("--contracts-min-strength is about what --contracts-mutate finds; give both")
        self._config = config
        self._cases = Cases(config, self.replay, service.completeness)
        self._outcomes = Outcomes(service, here)
        self._tests = TestFiles(config.rootpath)
        generated = config.getoption("--contracts-generated")
        self._reruns = Reruns(self.replay, generated, watched_of, self._tests, mutates=mutating)

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
        self._tests.add({str(item.path) for item in items})
        for item in items:
            marked_pending(item)
        self._tracker.collected(items)

    def selected(self, session: pytest.Session) -> None:
        """See what will run."""
        self._tracker.selected(session.items)

    def received(self, output: Mapping[str, Any]) -> None:
        """Take over what a worker of xdist saw."""
        self._tracker.receive(output)

    @contextmanager
    def calling(self, item: pytest.Function, emitted: list[Any]) -> Iterator[None]:
        """Yield what surrounds the call of a test: one message, a delivery of some, or all of a contract."""
        case = case_of(item)
        if case is None:
            yield
            return
        if item.funcargs.get("contract_case", case) is not case:
            _refuse(other_case())
        hidden = HiddenErrors(logged="caplog" not in item.fixturenames)
        watching = hidden.watching() if item.get_closest_marker(MARKER) is None else nullcontext()
        surrounding = self._surrounding(item, case, emitted, hidden)
        with watching, surrounding, everything_awaited(), self.looking(item):
            yield
        item.stash[HIDDEN] = hidden.take()
        if case.operation == "produces" and not case.bulk:
            self._check_emitted(item, case, emitted)

    def protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run an item whose message may still be chosen; None leaves it to pytest."""
        case = case_of(item)
        mutating = self._config.getoption("--contracts-mutate")
        if case is None or case.bulk:
            return None
        if case.operation == "produces" and (not mutating or case.origin == "cause"):  # nothing to compare faults with
            return None
        return self._reruns.protocol(item, case, nextitem)

    def collecting(self, report: pytest.CollectReport) -> None:
        """Take note of a file that cannot be collected: its tests are not known."""
        if report.failed:
            self._tracker.uncollected(report)

    @staticmethod
    def begin(item: pytest.Item) -> None:
        """Forget what an earlier run of the item left."""
        begin(item)

    def given(self, item: pytest.Item, message: Message) -> Envelope[Any]:
        """Return the message that the test of an item gets, watched; the same one however often it is asked for."""
        if GIVEN not in item.stash:
            case = case_of(item)
            replaced = case.replaced if case is not None else {}
            dumped = None if case is None else case.dumped
            watch = FieldAccess(self._tests, replaced, dumped)
            data, received = watch.over(message.envelope.data), message.envelope._received  # noqa: SLF001 - see below
            # It is still the message that was read: a test may encode it and hand the bytes to its service.
            received = received._replace(data=data) if received is not None and dumped is None else None
            envelope = replace(message.envelope, data=data, _received=received)
            item.stash[GIVEN] = (message, envelope, watch)
        return item.stash[GIVEN][1]

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

    def recorded(self, item: pytest.Item, case: Case) -> Any:
        """Return the recorded message for a producer's test."""
        item.stash[RECORDED] = recorded = RecordedMessage(case.message, self._tests)
        return recorded.data

    @staticmethod
    def looking(node: pytest.Item | pytest.Collector) -> AbstractContextManager[None]:
        """Look whether code of the service runs, once a producer's test has what was recorded."""
        return node.stash[RECORDED].watching() if RECORDED in node.stash else nullcontext()

    def cause(self, item: pytest.Item, case: Case) -> Any:
        """Return the message that caused the recorded one. Fails the test where there is none, or there are several."""
        if case.cause is None:
            _refuse(no_cause(case))
        if len(case.causes) > 1:
            _refuse(several_causes(case))
        return self.given(item, case.cause).data

    def causes(self, item: pytest.Item, case: Case) -> list[Any]:
        """Return all messages that caused the recorded one, in the order in which it names them."""
        if case.cause is None:
            _refuse(no_cause(case))
        return [self.given(item, case.cause).data, *(each.envelope.data for each in case.causes[1:])]

    def _surrounding(
        self, item: pytest.Function, case: Case, emitted: list[Any], hidden: HiddenErrors
    ) -> AbstractContextManager[Any]:
        if case.bulk:
            return all_in_one(item, case.bulk, emitted, Surroundings(self.replay, self._tests, hidden))
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
            return item.stash[GIVEN][2]

        decoding = decoded_too(watch, type(given.envelope.data))
        exchanging = nullcontext() if case.exchange is None else case.exchange.watching()
        with decoding as failed, mocks_watched(), encoding_watched(), watch_effect(item, case) as effect, exchanging:
            yield
        if case.operation == "consumes":
            try:
                item.stash[READING] = check_reading(watch(), failed, case, effect)
            except UnreadError as error:
                item.stash[READING] = Reading(unread="handed-over" if error.handed_over else "")
                raise pytest.fail.Exception(error.problem, pytrace=False) from None  # its context is what is reported

    def _check_emitted(self, item: pytest.Function, case: Case, emitted: list[Any]) -> None:
        """After a producer's test: check what it emitted against the recording."""
        if RECORDED in item.stash and item.stash[RECORDED].is_copied(emitted, case, self.replay):
            _refuse(copied(case))
        item.stash[EMITTED] = len(emitted) if case.origin == "cause" else 0
        found, item.stash[SENT] = self.replay.check_emitted(case, emitted)
        if found:
            item.stash[MISMATCHES] = found
            listed = "\n".join(f"  {mismatch}" for mismatch in found)
            pytest.fail(f"{case.label}: what was emitted is not what was recorded\n{listed}", pytrace=False)

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put what became of a message into the report."""
        self._outcomes.explain(item, call, report)

    def count(self, report: pytest.TestReport) -> None:
        """Take in one phase of one item; a failed attempt that pytest-rerunfailures repeats does not count."""
        if str(report.outcome) == "rerun":
            return
        self._tracker.see(report)
        text = getattr(report, RESULT, None)
        if text is not None:
            self._collector.add(from_text(text))

    def finish(self, session: pytest.Session) -> None:
        """Fail a run that proved nothing, or left an operation out."""
        self._tracker.send(session.config)
        forget()
        if not hasattr(session.config, "workerinput"):
            self._ending.finish(session)

    def keep_red(self, session: pytest.Session) -> None:
        """Let a run fail whose contract tests failed."""
        self._ending.keep_red(session)

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Show the table, and what is missing."""
        self._ending.summarize(reporter)


def _refuse(error: UnplayableError) -> NoReturn:
    raise pytest.fail.Exception(str(error), pytrace=False) from error
