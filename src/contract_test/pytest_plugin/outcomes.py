"""What became of an item: put into pytest's report as data, and in words where it failed."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from _pytest._code.code import ExceptionRepr

from contract_test.data.result import Failure, GivenMessage, MessageResult, Outcome
from contract_test.pytest_plugin.bulk import TALLY
from contract_test.pytest_plugin.items import EMITTED, HIDDEN, MISMATCHES, READING, SENT, case_of, seen_of
from contract_test.pytest_plugin.pending import expect_failure, marked_pending
from contract_test.pytest_plugin.reruns import FAULTS
from contract_test.pytest_plugin.tracebacks import make_inert
from contract_test.pytest_plugin.tracking import Tracker, skip_reason
from contract_test.pytest_plugin.unawaited import ADVICE
from contract_test.recordings.messages import pointer_in_line
from contract_test.replay.acceptance import accepted_text, finding_id
from contract_test.replay.cases import Case
from contract_test.replay.diagnosis import failure_of
from contract_test.replay.results import ItemReport, as_text
from contract_test.replay.service import Service
from contract_test.replay.unused_message import WATCHED
from contract_test.report.failure import failure_text

RESULT = "contract_result"
"""The attribute of a report that holds what became of its messages. It goes with it, from xdist's workers too."""


class Outcomes:
    """Explains the reports of contract tests. `here` is where pytest was started."""

    def __init__(self, service: Service, here: Path) -> None:
        self._service, self._here = service, here
        self._today = datetime.now(UTC).date()

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put what became of a message into the report: as data, and in words where it failed."""
        Tracker.mark(item, report)
        case = case_of(item)
        if case is None or not (report.when == "call" or report.failed or report.skipped):
            return
        outcome: Outcome = report.outcome
        failure, finding, accepted = None, "", ""
        if report.failed:
            error = call.excinfo.value if call.excinfo else None
            failure = _failure(item, error, case, call)
            finding, accepted, expired = self._accepted(item, case, failure)
            make_inert(report)
            owners = self._service.replay.catalog.owned((*case.subject.sent_by, *case.subject.received_by))
            text = failure_text(case, failure, owners)
            _add_section(report, "contract", "\n".join(filter(None, (text, expired))))
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                report.sections.append(("async", f"if nothing awaited this test: {ADVICE}"))
        tally = item.stash.get(TALLY, None)
        if tally is not None and tally.failed:
            report.sections.append(("every message that failed", tally.text))
        given, reads, test_reads = seen_of(item)
        reading = item.stash.get(READING, WATCHED) if report.passed else WATCHED
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
            emitted=item.stash.get(EMITTED, 0) if report.passed else 0,
            hidden=item.stash.get(HIDDEN, ()) if report.passed else (),
            elsewhere=reading.elsewhere,
            unread=reading.unread,
            reason=skip_reason(report) if report.skipped else "",
            finding=finding,
            accepted=accepted,
            sent=item.stash.get(SENT, ()) if report.passed else (),
        )
        item_reports = (
            [ItemReport(played)] if tally is None else list(tally.item_reports(replace(played, given=_given(case))))
        )
        if tally is not None and tally.failed:
            item_reports, accepted = self._accepted_in_bulk(item, case, item_reports)
        if accepted:
            expect_failure(report, accepted)
        setattr(
            report, RESULT, as_text(item_reports)
        )  # an attribute of the report goes with it, from xdist's workers too

    def _accepted(self, item: pytest.Item, case: Case, failure: Failure) -> tuple[str, str, str]:
        """Return a failure's id, why it is accepted, and why it is not any more."""
        finding = finding_id(case.subject.contracts[case.version], case.operation, failure)
        return finding, *accepted_text(finding, self._service.accepted, marked_pending(item), self._today)

    def _accepted_in_bulk(
        self, item: pytest.Item, case: Case, item_reports: list[ItemReport]
    ) -> tuple[list[ItemReport], str]:
        """Return the results with their ids, and, if every failure is accepted, why one is."""
        found, reasons = [], set[str]()
        for each in item_reports:
            played = each.played
            if played.failure is not None:
                finding, accepted, _ = self._accepted(item, case, played.failure)
                played = replace(played, finding=finding, accepted=accepted)
                reasons.add(accepted)
            found.append(replace(each, played=played))
        return found, "" if "" in reasons else min(reasons, default="")

    def _place(self, case: Case) -> str:
        """The recorded line, from where pytest was started if it is below."""
        path, line = case.message.interaction.path, case.message.interaction.line
        here = self._here
        return f"{path.relative_to(here) if path is not None and path.is_relative_to(here) else path}:{line}"


def _add_section(report: pytest.TestReport, title: str, text: str) -> None:
    """Put a section into the failure itself, because JUnit XML has nothing else of a report."""
    if isinstance(report.longrepr, ExceptionRepr):
        report.longrepr.addsection(title, text)
    else:  # a fixture that was not found, for example: it has no sections
        report.sections.append((title, text))


def _failure(item: pytest.Item, error: BaseException | None, case: Case, call: pytest.CallInfo[None]) -> Failure:
    """Why an item failed: what pytest itself finds wrong with a test has an advice of its own."""
    found = item.stash.get(MISMATCHES, ())
    failure = failure_of(error, found, case.operation, began=call.when != "setup")
    if isinstance(error, pytest.FixtureLookupError):
        advice = "Write it, in the file of the tests or in conftest.py, or correct its name."
        return replace(failure, sentence=f"there is no fixture `{error.argname}`", advice=advice)
    if isinstance(error, pytest.fail.Exception) and "async def" in str(error):
        return replace(failure, advice=ADVICE)
    return failure


def _given(case: Case) -> GivenMessage:
    interaction = (case.cause or case.message).interaction
    return GivenMessage(interaction.subject, interaction.version, interaction.place)
