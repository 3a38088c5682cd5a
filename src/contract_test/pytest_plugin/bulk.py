"""Runs all messages of a contract in one item. Fixtures are set up once, and every failing message is listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from contract_test.data.errors import UnplayableError
from contract_test.data.result import Failure, GivenMessage, MessageResult, Outcome
from contract_test.data.texts import counted, printable
from contract_test.pytest_plugin.multi_call import Call, call_repeatedly, needs_one_message
from contract_test.replay.cases import Case, Replay
from contract_test.replay.copies import RecordedMessage, copied
from contract_test.replay.diagnosis import failure_of, no_cause, several_causes
from contract_test.replay.field_access import FieldAccess
from contract_test.replay.hidden_errors import HiddenErrors
from contract_test.replay.results import ItemReport
from contract_test.replay.test_files import TestFiles
from contract_test.replay.unused_message import (
    WATCHED,
    Reading,
    UnreadError,
    check_reading,
    decoded_too,
    encoding_watched,
    mocks_watched,
)
from envelopes import DecodeError

Lines = tuple[int, int]
Reads = tuple[tuple[str, ...], tuple[str, ...]]
Kind = tuple[Outcome, str, Reading, tuple[str, ...], Reads, str, int, tuple[int, ...]]
"""What messages have in common: outcome, reason, how they were read, hidden errors, reads, subject and versions."""
_CONSUMED = frozenset(("message", "messages", "envelope"))
MAX_FAILURES_SHOWN = 100


def in_bulk(cases: Sequence[Case]) -> list[Case]:
    """Return one case a version, for all of its cases."""
    by_version: dict[int, list[Case]] = {}
    for case in cases:
        by_version.setdefault(case.version, []).append(case)
    return [replace(found[0], bulk=tuple(found)) for found in by_version.values()]


@dataclass(frozen=True)
class Surroundings:
    """What the calls of one item have in common with the rest of the run."""

    replay: Replay
    tests: TestFiles
    hidden: HiddenErrors


@dataclass
class Tally:
    """What became of the messages of one item: of those that did not fail, what was read; of those that did, why."""

    not_failed: dict[Kind, list[Lines]] = field(default_factory=dict)
    failed: list[tuple[Case, Failure]] = field(default_factory=list)
    first: BaseException | None = None

    def item_reports(self, item: MessageResult) -> Iterator[ItemReport]:
        """Yield for the result: the failed ones one by one, of all others what they have in common."""
        for case, failure in self.failed:
            line, given = case.message.interaction.line, (case.cause or case.message).interaction
            yield ItemReport(
                replace(
                    item,
                    item=f"{item.item}:{line}",
                    outcome="failed",
                    place=f"{item.place.rpartition(':')[0]}:{line}",
                    given=GivenMessage(given.subject, given.version, given.place),
                    failure=failure,
                    message=case.given_text,
                    expected=case.expected_text,
                )
            )
        for (
            outcome,
            reason,
            reading,
            hidden,
            (by_service, by_test),
            subject,
            version,
            sent,
        ), lines in self.not_failed.items():
            yield ItemReport(
                replace(
                    item,
                    outcome=outcome,
                    reason=reason,
                    elsewhere=reading.elsewhere,
                    unread=reading.unread,
                    hidden=hidden,
                    given=None if item.given is None else replace(item.given, subject=subject, version=version),
                    reads=by_service,
                    test_reads=by_test,
                    sent=sent,
                    failure=None,
                    message="",
                    expected="",
                ),
                tuple(lines),
            )

    @property
    def text(self) -> str:
        """The failed messages, a line each; of very many the first hundred, and the lines of all others."""
        shown = [
            printable(f"{case.message.interaction.place}: {failure.check} {failure.pointer} {failure.sentence}")
            for case, failure in self.failed[:MAX_FAILURES_SHOWN]
        ]
        rest = ", ".join(str(case.message.interaction.line) for case, _ in self.failed[MAX_FAILURES_SHOWN:])
        return "\n".join(
            [f"{counted(len(self.failed), 'message')} failed:", *shown, *([f"and lines {rest}"] if rest else [])]
        )


TALLY = pytest.StashKey[Tally]()


@contextmanager
def all_in_one(
    item: pytest.Function, cases: Sequence[Case], emitted: list[Any], around: Surroundings
) -> Iterator[None]:
    """Call the test's function for every case inside. Raises what the first failing message raised."""
    fixture = needs_one_message(item)
    if fixture is not None:
        pytest.fail(
            f"the fixture `{fixture}` asks for a message, and --contracts-bulk sets it up once for all of them\n"
            "let the test itself take `message`, and give it to what the fixture makes",
            pytrace=False,
        )
    watch = FieldAccess(around.tests)
    given = cases[0].cause or cases[0].message
    with decoded_too(lambda: watch, type(given.envelope.data)) as undecoded, mocks_watched(), encoding_watched():
        counting = _Counting(watch, emitted, undecoded, around)
        item.stash[TALLY] = counting.tally
        with call_repeatedly(item, lambda arguments: counting.calls(cases, arguments)):
            yield
    if counting.tally.first is not None:
        raise counting.tally.first


class _Counting:
    """Stands around each call, and sees what becomes of it."""

    def __init__(
        self, watch: FieldAccess, emitted: list[Any], undecoded: list[DecodeError], around: Surroundings
    ) -> None:
        self.tally = Tally()
        self._watch, self._emitted, self._undecoded, self._around = watch, emitted, undecoded, around
        self._recorded: RecordedMessage | None = None
        self._case: Case
        self._seen: dict[tuple[frozenset[str], frozenset[str]], Reads] = {}

    def calls(self, cases: Sequence[Case], arguments: Mapping[str, Any]) -> Iterator[Call]:
        """The arguments for each case, watched."""
        chosen = dict(arguments)
        for case in cases:
            self._case = case
            self._watch.clear()
            self._emitted.clear()
            self._undecoded.clear()
            if "cause" in chosen:
                if case.cause is None:
                    missing = no_cause(case)
                    self._fail(failure_of(missing), pytest.fail.Exception(str(missing), pytrace=False))
                    continue
                chosen["cause"] = self._watch.over(case.cause.envelope.data)
                if len(case.causes) > 1:
                    several = several_causes(case)
                    self._fail(failure_of(several), pytest.fail.Exception(str(several), pytrace=False))
                    continue
            elif "causes" in chosen and case.cause is not None:
                first = self._watch.over(case.cause.envelope.data)
                chosen["causes"] = [first, *(each.envelope.data for each in case.causes[1:])]
            elif _CONSUMED.intersection(chosen):
                data = self._watch.over(case.message.envelope.data)
                if "messages" in chosen:
                    chosen["messages"] = [data, *(each.envelope.data for each in case.batch)]
                if "message" in chosen:
                    chosen["message"] = data
                if "envelope" in chosen:
                    chosen["envelope"] = replace(case.message.envelope, data=data)
            if "recorded" in chosen:
                self._recorded = RecordedMessage(case.message, self._around.tests)
                chosen["recorded"] = self._recorded.data
                with self._recorded.watching():
                    yield chosen, self
                continue
            yield chosen, self

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> Literal[True] | None:
        case = self._case
        if error is None:
            try:
                self._passed(case)
            except (UnreadError, UnplayableError) as found:
                self._fail(failure_of(found), pytest.fail.Exception(str(found), pytrace=False))
        elif isinstance(error, pytest.skip.Exception):
            self._note("skipped", printable(str(error)))
        elif isinstance(error, Exception | pytest.fail.Exception):
            self._fail(failure_of(error, (), case.operation), error)
        else:
            return None
        return True

    def _passed(self, case: Case) -> None:
        """Check a message whose test passed. Raises UnreadError or UnplayableError."""
        if case.operation == "consumes":
            self._note("passed", reading=check_reading(self._watch, self._undecoded, case))
            return
        replay = self._around.replay
        if self._recorded is not None and self._recorded.is_copied(self._emitted, case, replay):
            raise copied(case)
        found, sent = replay.check_emitted(case, self._emitted)
        if found:
            listed = "\n".join(f"  {mismatch}" for mismatch in found)
            text = f"{case.label}: what was emitted is not what was recorded\n{listed}"
            self._fail(failure_of(None, found), pytest.fail.Exception(text, pytrace=False))
            return
        self._note("passed", sent=sent)

    def _fail(self, failure: Failure, error: BaseException) -> None:
        self._around.hidden.take()
        self.tally.failed.append((self._case, failure))
        self.tally.first = self.tally.first or error

    def _note(self, outcome: Outcome, reason: str = "", reading: Reading = WATCHED, sent: tuple[int, ...] = ()) -> None:
        sets = frozenset(self._watch.by_service), frozenset(self._watch.by_test)
        reads = self._seen.get(sets)
        if reads is None:
            reads = self._seen[sets] = (tuple(sorted(sets[0])), tuple(sorted(sets[1])))
        given = (self._case.cause or self._case.message).interaction
        kind = outcome, reason, reading, self._around.hidden.take(), reads, given.subject, given.version, sent
        self.tally.not_failed.setdefault(kind, []).append((self._case.message.interaction.line, given.line))
