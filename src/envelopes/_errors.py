"""Everything that `envelopes` raises, with fields for programs and a text for people."""

from __future__ import annotations

from dataclasses import dataclass


class EnvelopesError(Exception):
    """Base of every error of this package."""


class UnknownNameError(EnvelopesError, LookupError):
    """A channel, subject or version that the catalog of this package does not have."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        self.kind, self.name, self.known = kind, name, known
        listed = ", ".join(known) or "none"
        super().__init__(
            f"no {kind} {name!r} in the catalog (known: {listed}); check the spelling, update the package, "
            "or take `decode` and `encode` from the package that has it"
        )


@dataclass(frozen=True)
class Violation:
    """One place where a JSON value breaks its contract.

    `pointer` is a JSON pointer into the value, `keyword` the schema's word that was broken,
    `expected` and `found` are short texts; `found` never shows a whole object or array.
    """

    pointer: str
    keyword: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: expected {self.expected}, found {self.found}"


class ContractViolationError(EnvelopesError, ValueError):
    """A value that its contract does not accept was built."""

    def __init__(self, subject: str, version: int | None, violation: Violation) -> None:
        self.subject, self.version, self.violation = subject, version, violation
        super().__init__(f"{_contract_name(subject, version)} at {violation}")

    @property
    def pointer(self) -> str:
        """JSON pointer of the first place that is wrong; empty for the whole value."""
        return self.violation.pointer

    @property
    def expected(self) -> str:
        """What the contract asks for there."""
        return self.violation.expected

    @property
    def found(self) -> str:
        """A short excerpt of what stands there instead."""
        return self.violation.found


class EncodeError(ContractViolationError):
    """A value that its contract does not accept was about to leave; nothing was sent."""


class DecodeError(ContractViolationError):
    """Bytes that no contract accepts. `raw` holds them all; the text never does."""

    def __init__(self, subject: str, version: int | None, violation: Violation, raw: bytes) -> None:
        super().__init__(subject, version, violation)
        self.raw = raw


def _contract_name(subject: str, version: int | None) -> str:
    return subject if version is None else f"{subject} v{version}"
