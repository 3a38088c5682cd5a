"""Detects a consumer's test that passes although the message is never read, or cannot be decoded."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from contract_test.data.errors import ContractTestError
from contract_test.data.result import Run
from contract_test.data.texts import counted
from contract_test.replay.cases import Case, Elsewhere
from contract_test.replay.field_access import FieldAccess, watch_of
from envelopes import DecodeError, Envelope, ValueObject, _encoding
from envelopes._compiled import compiled_model

CHECK = "message-not-read"


Unread = Literal["", "handed-over", "only-test", "compared", "ignored"]
"""How a test passed whose service did not read the message."""


@dataclass(frozen=True)
class Reading:
    """What is known of a passed test whose service was not seen reading the message: nothing if it was."""

    elsewhere: Elsewhere = ""
    unread: Unread = ""


WATCHED = Reading()


class UnreadError(ContractTestError):
    """A test passed without its service having read anything of the message.

    `handed_over` is True if the test turned the message into something else for it, such as JSON: the service may read
    that with code of its own.
    """

    def __init__(self, problem: str, *, advice: str, handed_over: bool = False) -> None:
        super().__init__(problem, advice=advice)
        self.handed_over = handed_over


@contextmanager
def decoded_too(watch: Callable[[], FieldAccess], cls: type[ValueObject]) -> Iterator[list[DecodeError]]:
    """Watch messages that the service itself decodes, too; yield the errors of decoding."""
    compiled = compiled_model(cls)
    make, begin, failed = compiled.make, DecodeError.__init__, list[DecodeError]()

    def note(self: DecodeError, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        failed.append(self)

    compiled.make = lambda value: watch().over(make(value))
    DecodeError.__init__ = note  # type: ignore[method-assign] # until the test has ended
    try:
        yield failed
    finally:
        compiled.make = make
        DecodeError.__init__ = begin  # type: ignore[method-assign] # as it was


@contextmanager
def encoding_watched() -> Iterator[None]:
    """Note inside that a test encodes its envelope. The bytes that were received are passed on, which reads nothing."""
    passed_on = _encoding._passed_on  # noqa: SLF001 - what `encode` does with a message that was decoded
    as_read = _encoding.ChannelWriter.as_read

    def note(envelope: Envelope[Any], *arguments: Any) -> Any:
        watch = watch_of(envelope.data)
        if watch is not None and watch.tests.is_reader(sys._getframe(1)):  # noqa: SLF001 - who encodes
            watch.handed_over = True
        return passed_on(envelope, *arguments)

    _encoding._passed_on = note  # type: ignore[assignment] # noqa: SLF001 - until the test has ended
    _encoding.ChannelWriter.as_read = lambda *_: None  # type: ignore[method-assign] # a short cut around it
    try:
        yield
    finally:
        _encoding._passed_on = passed_on  # noqa: SLF001 - as above
        _encoding.ChannelWriter.as_read = as_read  # type: ignore[method-assign] # as above


@contextmanager
def mocks_watched() -> Iterator[None]:
    """Note inside that a test calls a mock with its message. A service may call one: it has read what it needs."""
    mock = sys.modules.get("unittest.mock")
    if mock is None:  # nothing has imported it, so there is none
        yield
        return
    mixin = mock.CallableMixin
    increment = mixin._increment_mock_call  # noqa: SLF001 - what every kind of mock calls first

    def note(self: Any, /, *arguments: Any, **named: Any) -> None:
        for value in (*arguments, *named.values()):
            watch = watch_of(value)
            if watch is not None and watch.tests.is_reader(sys._getframe(1)):  # noqa: SLF001 - who calls
                watch.given_to_mock = True
        increment(self, *arguments, **named)

    mixin._increment_mock_call = note  # noqa: SLF001 - as above
    try:
        yield
    finally:
        mixin._increment_mock_call = increment  # noqa: SLF001 - as above


def check_reading(
    watch: FieldAccess, failed: list[DecodeError], case: Case, has_effect: Callable[[], bool] = lambda: False
) -> Reading:
    """Return how a consumer's message was read. Raise UnreadError where its test alone shows that it was not.

    Of what was made of a recorded message a consumer may read nothing, such as of one of a version that it skips.
    """
    if watch.by_service:
        return WATCHED
    if failed:
        raise UnreadError(
            f"the message could not be decoded, and the test passed all the same: {failed[0]}",
            advice="Mend what does not decode a legal message; and let the test see what the service did with it: "
            "the error, or the dead letter.",
        )
    if case.origin != "recorded" or case.message.data in ({}, []):
        return WATCHED
    if case.elsewhere or case.dumped is not None or case.exchange is not None:  # with another message, it has to fail
        return Reading(case.elsewhere)
    if has_effect():
        return Reading("effect")
    if watch.handed_over:
        raise UnreadError(
            "reading cannot be watched, because the test gives the service the message in another form, such as JSON; "
            "and no effect shows that it is read",
            advice=_SHOW_EFFECT,
            handed_over=True,
        )
    if watch.given_to_mock:
        raise UnreadError(
            "the test gave the message to a mock, and no code of the service read it",
            advice="Give `message` to the code of the service that handles it (awaited, if it is async), and assert on "
            "what it did.",
        )
    if watch.by_test:
        return Reading(unread="ignored" if case.ignored else "compared" if watch.compared else "only-test")
    raise UnreadError(
        "the test passed, and nothing of the message was read: by the service as little as by the test",
        advice="Give `message` to the code that handles it (awaited, if it is async); assert on what it did.",
    )


_SHOW_EFFECT = (
    "Assert on what the service did with its values. Or write a fixture `contract_state`, and ask for it. Or, if the "
    "service reads it where no test can see it, write reads_elsewhere=True into the marker."
)
_KNOWN_BY = {
    "effect": "the state changed",
    "noticed": "tests fail with other messages",
    "reads_elsewhere": "the marker says reads_elsewhere",
}


def unwatched(run: Run) -> list[str]:
    """Return a line for each contract whose messages were read where that cannot be watched, and how that is known."""
    found = []
    for each in run.operations:
        known = Counter[str]()
        for (elsewhere, _, _), count in each.observations.items():
            known[elsewhere] += count if elsewhere else 0
        for elsewhere, count in sorted((+known).items()):
            found.append(
                f"{each.operation} {each.subject} v{each.version}: reading cannot be watched in "
                f"{counted(count, 'message')} ({_KNOWN_BY[elsewhere]}), so which fields are read is not known"
            )
    return found


_NOT_READ = {
    "compared": "tests only compared {0} with themselves, and no code of the service read them. Give each message to "
    "the code that handles it, and assert on what it did",
    "ignored": "code of the service ran with {0}, and nothing shows that it read them. Give it the message itself. "
    f"{_SHOW_EFFECT.rstrip('.')}",
    "only-test": "only tests read {0}, and no code of the service. Code in the files of tests counts as the test",
}


def not_read(run: Run) -> list[str]:
    """Return a line for each contract whose messages were certainly not read by the service."""
    return list(_unread(run, "compared", "ignored"))


def only_tests_read(run: Run) -> list[str]:
    """Return a line for each contract whose messages were read by tests, and by no code of the service."""
    return list(_unread(run, "only-test"))


def _unread(run: Run, *kinds: str) -> Iterator[str]:
    for each in run.operations:
        recorded = [played for played in each.played if played.origin == "recorded" and played.outcome == "passed"]
        unread = {played.place: played.unread for played in recorded if played.unread}
        if not unread:
            continue
        for played in recorded:
            if not played.unread:  # another test shows that the service reads it
                unread.pop(played.place, None)
        for kind, count in sorted(Counter(unread.values()).items()):
            if kind in kinds:
                messages = f"{counted(count, 'message')} of {each.recorded}"
                yield f"consumes {each.subject} v{each.version}: {_NOT_READ[kind].format(messages)}"
