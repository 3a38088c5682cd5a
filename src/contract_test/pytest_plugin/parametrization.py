"""Cases: what a marked test is called with, one parameter a recorded message."""

from __future__ import annotations

import gc
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
            subject, caused_by = _named(marker)
            if self._completeness.may_be_empty(subject):
                reason = f"{subject} is allowed to be empty (allow_empty)"
                return [pytest.param(None, id=f"{subject}-empty", marks=pytest.mark.skip(reason=reason))]
            cases = (
                self._consumed(subject, delivered=delivered)
                if marker.name == "consumes"
                else self._replay.producer_cases(subject, caused_by)
            )
        except ContractTestError as error:
            return [pytest.param(error, id="nothing-to-replay")]
        if self._config.getoption("--contracts-bulk"):
            gc.freeze()  # all these messages stay: whoever collects garbage need not look through them again and again
            cases = in_bulk(cases)
        return [pytest.param(case, id=case.label) for case in cases]

    def _consumed(self, subject: str, *, delivered: bool) -> list[Case]:
        recorded = self._replay.consumer_cases(subject)
        if self._config.getoption("--contracts-bulk"):
            return recorded
        deliveries = delivery_cases(recorded) if delivered and declares(recorded[0].subject) else ()
        if self._config.getoption("--contracts-only-recorded"):
            return [*recorded, *deliveries]
        from contract_test.replay.variation_cases import generated_cases, unrecorded_cases, variation_cases

        varied = variation_cases(self._replay, recorded)
        if self._config.getoption("--contracts-generated") <= 0:
            return [*recorded, *deliveries, *varied]
        return [*recorded, *deliveries, *varied, *generated_cases(recorded), *unrecorded_cases(recorded)]


def _named(marker: pytest.Mark) -> tuple[str, str | None]:
    """The subject that a marker names, and the cause. Raises CatalogError that shows how to write it."""
    values = dict(zip(("subject", "caused_by"), marker.args, strict=False)) | dict(marker.kwargs)
    known = {"subject"} if marker.name == "consumes" else {"subject", "caused_by"}
    right = "subject" in values and not values.keys() - known and all(isinstance(each, str) for each in values.values())
    if not right or len(marker.args) > len(known):
        form = '("subject")' if marker.name == "consumes" else '("subject", caused_by="subject of the cause")'
        raise CatalogError(
            f"a marker `{marker.name}` that names no subject, or more",
            advice=f"Write @pytest.mark.{marker.name}{form}.",
        )
    return values["subject"], values.get("caused_by")
