"""The errors of the toolkit: what went wrong as fields, and what to do next as text."""

from __future__ import annotations


class ContractTestError(Exception):
    """Every error that the toolkit raises on purpose.

    `problem` says what is wrong, `advice` what to do next; both stand in `str(error)`.
    """

    def __init__(self, problem: str, *, advice: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.problem}\n  {self.advice}"


class InvalidSchemaError(ContractTestError):
    """A document that is no JSON Schema: it breaks its own meta-schema, or is no JSON at all.

    `side` is "writer" or "reader"; `pointer` is a JSON Pointer to the offending value, "" for the whole
    document.
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
