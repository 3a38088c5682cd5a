"""Cases: what a marked test is called with, one parameter a recorded message."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contract_test.data.errors import CatalogError, ContractTestError
from contract_test.pytest_plugin.bulk import in_bulk
from contract_test.replay.cases import Case, Replay
from contract_test.replay.completeness import Completeness
from contract_test.replay.deliveries import declares, delivery_cases


class Cases:
    """Chooses, by the options of a run, the cases of an operation."""

    def __init__(self, config: pytest.Config, replay: Replay, completeness: Completeness) -> None:
        self._config, self._replay, self._completeness = config, replay, completeness

    def of(self, marker: pytest.Mark, *, delivered: bool) -> list[Any]:
        """Return the parameters of a test with this marker.

        Where there is nothing to replay, one that makes it fail.
        """
        try:
            named = Named.of(marker)
            subject, caused_by = named.subject, named.caused_by
            if self._completeness.may_be_empty(subject):
                reason = f"{subject} is allowed to be empty (allow_empty)"
                return [pytest.param(None, id=f"{subject}-empty", marks=pytest.mark.skip(reason=reason))]
            cases = (
                self._consumed(named, delivered=delivered)
                if marker.name == "consumes"
                else self._replay.producer_cases(subject, caused_by)
            )
        except ContractTestError as error:
            return [pytest.param(error, id="nothing-to-replay")]
        if self._config.getoption("--contracts-bulk"):
            gc.freeze()  # all these messages stay: whoever collects garbage need not look through them again and again
            cases = in_bulk(cases)
        return [pytest.param(case, id=case.label) for case in cases]

    def _consumed(self, named: Named, *, delivered: bool) -> list[Case]:
        recorded = self._replay.consumer_cases(named.subject)
        if named.reads_elsewhere:
            recorded = [replace(case, elsewhere="reads_elsewhere") for case in recorded]
        recorded = _in_batches(recorded, named.batch)
        if self._config.getoption("--contracts-bulk"):
            return recorded
        deliveries = delivery_cases(recorded) if delivered and declares(recorded[0].subject) else ()
        if named.only == "recorded":
            return recorded
        if self._config.getoption("--contracts-only-recorded"):
            return [*recorded, *deliveries]
        from contract_test.replay.variation_cases import generated_cases, unrecorded_cases, variation_cases

        varied = variation_cases(self._replay, recorded)
        if self._config.getoption("--contracts-generated") <= 0:
            return [*recorded, *deliveries, *varied]
        return [*recorded, *deliveries, *varied, *generated_cases(recorded), *unrecorded_cases(recorded)]


def _in_batches(recorded: list[Case], size: int) -> list[Case]:
    """Return each case with as many others of the recorded messages behind it as a batch holds, in their order."""
    messages = [case.message for case in recorded]
    return (
        [
            replace(case, batch=tuple([*messages[index + 1 :], *messages[:index]][: size - 1]))
            for index, case in enumerate(recorded)
        ]
        if size > 1
        else recorded
    )


_KNOWN: dict[str, dict[str, type]] = {
    "consumes": {"subject": str, "only": str, "reads_elsewhere": bool, "batch": int},
    "produces": {"subject": str, "caused_by": str},
}
_FORMS = {
    "consumes": '("subject"), and if needed only="recorded", reads_elsewhere=True or batch=10',
    "produces": '("subject", caused_by="subject of the cause")',
}


@dataclass(frozen=True)
class Named:
    """What a marker names: the subject, the one that causes it, and how it is replayed.

    With `only` "recorded", a test gets recorded messages and nothing that was made of them. With `reads_elsewhere`, the
    service reads its messages where that cannot be watched. `batch` is how many a test gets at once as `messages`.
    """

    subject: str
    caused_by: str | None = None
    only: str = ""
    reads_elsewhere: bool = False
    batch: int = 1

    @classmethod
    def of(cls, marker: pytest.Mark) -> Named:
        """Read a marker. Raises CatalogError that shows how to write it."""
        known = _KNOWN[marker.name]
        positional = ["subject"] if marker.name == "consumes" else ["subject", "caused_by"]
        values = dict(zip(positional, marker.args, strict=False)) | dict(marker.kwargs)
        right = (
            "subject" in values
            and len(marker.args) <= len(positional)
            and all(isinstance(value, known.get(name, ())) for name, value in values.items())
            and values.get("only", "recorded") == "recorded"
            and values.get("batch", 1) >= 1
        )
        if not right:
            raise CatalogError(
                f"a marker `{marker.name}` that is not understood",
                advice=f"Write @pytest.mark.{marker.name}{_FORMS[marker.name]}.",
            )
        return cls(**values)
