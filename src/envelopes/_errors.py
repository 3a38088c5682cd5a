"""Everything that `envelopes` raises, with fields for programs and a text for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._sensitivity import described


class EnvelopesError(Exception):
    """Base class of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own calls the class with the text alone, which these classes do not take.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[EnvelopesError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> EnvelopesError:
    error = cls.__new__(cls)
    error.args = arguments
    error.__dict__.update(fields)
    return error


class UnknownNameError(EnvelopesError, LookupError):
    """A channel, subject or version that the catalog does not have.

    Attributes:
        kind: What was looked up, such as `"channel"`.
        name: The name that was not found.
        known: The names that the catalog has.

    """

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        self.kind, self.name, self.known = kind, name, known
        super().__init__(
            f"the catalog has no {kind} {name!r} (known: {', '.join(known) or 'none'}). "
            "Check the spelling, update the package, or import `decode` and `encode` from the package that has it"
        )


@dataclass(frozen=True)
class Violation:
    """One place where a JSON value breaks its contract.

    Attributes:
        pointer: A JSON pointer into the value. It is empty for the whole value.
        keyword: The schema's keyword that was broken.
        expected: What the contract allows, in a few words.
        found: What is there instead, in a few words. It never shows a whole object or array.
        public: True if the contract says `x-sensitivity: public` of the place.

    """

    pointer: str
    keyword: str
    expected: str
    found: str
    public: bool = field(default=False, compare=False)

    @property
    def shown(self) -> str:
        """`found` if the place is public, and otherwise the type and the length of the value: for logs."""
        return self.found if self.public else described(self.found)

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: expected {self.expected}, found {self.found}"


class ContractViolationError(EnvelopesError, ValueError):
    """A value object was built with values that its contract does not accept.

    The text of the error can be logged. It shows a value only if the contract says `x-sensitivity: public` of it. Of
    any other value, it has the type and the length. `found` shows more.

    Attributes:
        subject: The subject, or a class name or channel if no subject is known.
        version: The version of the contract, if it is known.
        violation: The first violation.

    """

    def __init__(self, subject: str, version: int | None, violation: Violation) -> None:
        self.subject, self.version, self.violation = subject, version, violation
        contract = subject if version is None else f"{subject} v{version}"
        place = violation.pointer or "/"
        super().__init__(f"{contract} at {place}: expected {violation.expected}, found {violation.shown}")

    @property
    def pointer(self) -> str:
        """JSON pointer of the first violation. It is empty for the whole value."""
        return self.violation.pointer

    @property
    def expected(self) -> str:
        """What the contract allows there."""
        return self.violation.expected

    @property
    def found(self) -> str:
        """A short excerpt of the value there."""
        return self.violation.found


class EncodeError(ContractViolationError):
    """A message was to be written that its contract or codec does not accept. Nothing was sent."""


class DecodeError(ContractViolationError):
    """A message was read that its contract or codec does not accept.

    Attributes:
        raw: The bytes of the whole message. The error's text never shows them.

    """

    def __init__(self, subject: str, version: int | None, violation: Violation, raw: bytes) -> None:
        super().__init__(subject, version, violation)
        self.raw = raw


class UpcastError(EnvelopesError):
    """A message could not be brought to a newer version.

    Attributes:
        subject: The subject of the message.
        version: The version that the message has.
        to: The version that it should have had.
        reason: What went wrong.

    """

    def __init__(self, subject: str, version: int, to: int, reason: str) -> None:
        self.subject, self.version, self.to, self.reason = subject, version, to, reason
        super().__init__(
            f"{subject} v{version} could not be read as v{to}: {reason}. "
            "Write an upcaster that accepts every message of the old version, or read the message as it was sent"
        )


# Tracebacks and pickles show the path that you import from.
for _public in (
    EnvelopesError,
    UnknownNameError,
    Violation,
    ContractViolationError,
    EncodeError,
    DecodeError,
    UpcastError,
):
    _public.__module__ = "envelopes"
