"""Tests whose failures are accepted for a time: the marker `contract_pending`, and how pytest shows such a failure."""

from __future__ import annotations

import pytest

from contract_test.data.errors import CatalogError
from contract_test.pytest_plugin.tracking import ACCEPTED
from contract_test.replay.acceptance import Pending, pending

MARKER = "contract_pending"


def marked_pending(item: pytest.Item) -> Pending | None:
    """Return what the marker of a test says. Raises pytest.UsageError where it has no reason or no last day."""
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return None
    try:
        return pending(marker.args, dict(marker.kwargs))
    except CatalogError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def expect_failure(report: pytest.TestReport, accepted: str) -> None:
    """Let pytest show a failure as an expected one, so that it does not make the run red."""
    report.outcome = "skipped"
    report.wasxfail = f"accepted {accepted}"  # as pytest's own xfail sets it
    setattr(report, ACCEPTED, True)
