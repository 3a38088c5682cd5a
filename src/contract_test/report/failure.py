"""A failed replay in words: where the message is, what was asked of it, whom it concerns, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from contract_test.data.result import Failure
from contract_test.data.texts import printable
from contract_test.replay.cases import Case


def failure_text(case: Case, failure: Failure, owners: Mapping[str, str]) -> str:
    """Return the lines under a failing item. `owners` are those of the services that it concerns."""
    lines = [case.about, *(f"owner      {service} is owned by {owner}" for service, owner in owners.items())]
    if failure.pointer and not failure.mismatches:  # mismatches are listed one by one
        lines.append(f"pointer    {failure.pointer}: {failure.sentence}")
    lines.append(f"check      {failure.check}")
    if failure.advice:
        lines.append(f"what to do  {failure.advice}")
    return "\n".join(printable(line) for text in lines for line in text.split("\n"))
