"""Failures that a team accepted for a time: by an entry in `contracts/accepted.toml`, or by a marker on a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contract_test.data.contract import Contract
from contract_test.data.errors import CatalogError
from contract_test.data.result import Failure, Run
from contract_test.files.accepted import Acceptance
from contract_test.schema.declared import field_names, general_pointer

PENDING = '@pytest.mark.contract_pending(reason="why it fails", until="2027-03-31")'


@dataclass(frozen=True)
class Pending:
    """What a marker `contract_pending` says: why the test fails, and the last day on which that is accepted."""

    reason: str
    until: date


def pending(arguments: Sequence[object], named: dict[str, object]) -> Pending:
    """Read the arguments of the marker. Raises CatalogError that shows how to write it."""
    values = dict(zip(("reason", "until"), arguments, strict=False)) | named
    reason, until = values.get("reason"), values.get("until")
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            until = None
    if not isinstance(reason, str) or not reason.strip() or type(until) is not date or len(values) > 2:  # noqa: PLR2004 - both
        raise CatalogError("a marker `contract_pending` without a reason or a last day", advice=f"Write {PENDING}.")
    return Pending(reason, until)


def finding_id(contract: Contract, operation: str, failure: Failure) -> str:
    """Return the id of a failure in `contracts/accepted.toml`. It never depends on texts or on one message."""
    pointer = general_pointer(failure.pointer, frozenset(field_names(contract))) if failure.pointer else ""
    return f"{failure.check}:{contract.subject}:v{contract.version}:{operation}:{pointer}"


def accepted_text(found: str, entries: Iterable[Acceptance], marked: Pending | None, today: date) -> tuple[str, str]:
    """Return why and until when a failure is accepted; if it is not any more, return that as the second text."""
    known = [(each.until, each.reason, each.place) for each in entries if each.finding == found]
    if marked is not None:
        known.append((marked.until, marked.reason, "its marker"))
    problem = ""
    for until, reason, place in known:
        if until is None:
            problem = f"It cannot be accepted without a last day: add until = YYYY-MM-DD at {place}."
        elif today > until:
            problem = f"It was accepted until {until}: {reason}"
        else:
            return f"until {until}: {reason}", ""
    return "", problem


def unused(entries: Iterable[Acceptance], run: Run) -> list[str]:
    """Return a line for each entry about an operation that was replayed, whose failure is not found any more."""
    found = {each.finding for operation in run.operations for each in operation.failed}
    replayed = {f"{each.subject}:v{each.version}:{each.operation}:" for each in run.operations}
    return [
        f"{each.place}: {each.finding} is accepted here, but it is not found any more. Delete the entry."
        for each in entries
        if each.finding not in found and any(f":{name}" in each.finding for name in replayed)
    ]
