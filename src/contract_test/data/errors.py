"""The one base of every error that the toolkit raises, and the few kinds there are."""

from __future__ import annotations

from typing import Any


class ContractTestError(Exception):
    """What happened, where, and what to do about it.

    `place` is a file, with a JSON pointer or line behind it where there is one.
    """

    def __init__(self, problem: str, *, place: str = "", advice: str = "") -> None:
        self.problem, self.place, self.advice = problem, place, advice
        super().__init__(problem, place, advice)

    def __reduce__(self) -> tuple[Any, ...]:
        """Come whole out of another process, whatever the kind takes to be made."""
        return _again, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}" if self.place else self.problem
        return f"{text}\n  {self.advice}" if self.advice else text


def _again(kind: type[ContractTestError], args: tuple[str, ...]) -> ContractTestError:
    error = kind.__new__(kind)
    error.args = args
    return error


class CatalogError(ContractTestError):
    """`catalog.toml`, or the layout of the contracts directory, is not right."""


class SchemaError(ContractTestError):
    """A schema file cannot be used."""


class DocumentError(ContractTestError):
    """An AsyncAPI document cannot be used."""


class RecordingError(ContractTestError):
    """A recording cannot be read."""


class NothingFoundError(ContractTestError):
    """There is nothing to work on; that is never a success."""


class NoContractsYetError(NothingFoundError):
    """A git ref has no contracts directory, and none was moved since: everything is new."""


class StalePackageError(ContractTestError):
    """The installed value objects do not belong to the contracts beside them."""


class UnplayableError(ContractTestError):
    """A test that cannot be given its message, or cannot judge it. `check` is the id of what the message fails."""

    def __init__(self, problem: str, *, check: str = "cannot-replay", place: str = "", advice: str) -> None:
        super().__init__(problem, place=place, advice=advice)
        self.check = check


class ReportError(ContractTestError):
    """A report cannot be written as it was asked for."""


class UnreachableError(ContractTestError):
    """A server, or something else that a run needs, is not there."""


class HistoryError(ContractTestError):
    """Contracts of an earlier time cannot be read from git."""


class InvalidSchemaError(SchemaError):
    """A document that is no JSON Schema: it breaks its own meta-schema, or is no JSON at all.

    `side` is "writer" or "reader"; `pointer` is a JSON Pointer to the offending value, "" for the whole document.
    """

    def __init__(self, problem: str, *, side: str, pointer: str = "", advice: str) -> None:
        super().__init__(f"the {side} is not a valid JSON Schema: {problem} (at #{pointer})", advice=advice)
        self.side = side
        self.pointer = pointer


class UnknownModeError(ContractTestError):
    """A compatibility mode that does not exist. `mode` is what was asked for, `known` what there is."""

    def __init__(self, mode: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{mode!r} is not a compatibility mode", advice=f"Use one of {', '.join(known)}.")
        self.mode = mode
        self.known = known
