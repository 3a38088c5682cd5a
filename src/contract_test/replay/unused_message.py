"""Detects a consumer's test that passes although the message is never read, or cannot be decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from contract_test.data.errors import ContractTestError
from contract_test.recordings.messages import Message
from contract_test.replay.field_access import FieldAccess
from envelopes import DecodeError, ValueObject
from envelopes._compiled import compiled_model

CHECK = "message-not-read"


class UnreadError(ContractTestError):
    """A test passed without anything of its message having been read."""


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


def check_reading(watch: FieldAccess, failed: list[DecodeError], message: Message, *, recorded: bool) -> None:
    """Raise UnreadError where a consumer's test passed although nobody read the message.

    Of what was made of a recorded message a consumer may read nothing, such as of one of a version that it skips.
    """
    if watch.by_service:
        return
    if failed:
        raise UnreadError(
            f"the message could not be decoded, and the test passed all the same: {failed[0]}",
            advice="Mend what does not decode a legal message; and let the test see what the service did with it: "
            "the error, or the dead letter.",
        )
    if recorded and not watch.by_test and message.data not in ({}, []):
        raise UnreadError(
            "the test passed, and nothing of the message was read: by the service as little as by the test",
            advice="Give `message` to the code that handles it (awaited, if it is async); assert on what it did.",
        )
