"""How other plugins see the runs of an item: pytest-rerunfailures asks for more attempts, subtests report their own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

_RERUNS = "rerunfailures"


def attempts_after_failure(item: pytest.Item) -> int:
    """Return how many times pytest-rerunfailures would run a failing item again."""
    if not item.config.pluginmanager.hasplugin(_RERUNS):
        return 0
    return int(import_module("pytest_rerunfailures").get_reruns_count(item) or 0)


def log_rerun(item: pytest.Item, reports: Sequence[pytest.TestReport], attempt: int) -> None:
    """Report a failed attempt as pytest-rerunfailures does, and wait as long as it would."""
    for report in reports:
        report.rerun = attempt  # type: ignore[attr-defined] # as that plugin sets it
        if report.failed:
            report.outcome = "rerun"  # type: ignore[assignment] # an outcome that this plugin adds
            item.ihook.pytest_runtest_logreport(report=report)
    time.sleep(import_module("pytest_rerunfailures").get_reruns_delay(item) or 0)


class _Relay:
    """Pytest's hooks, but for one: reports are kept."""

    def __init__(self, hooks: Any, reports: list[pytest.TestReport]) -> None:
        self._hooks, self._reports = hooks, reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.append(report)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hooks, name)


@contextmanager
def kept_subtests(item: pytest.Item) -> Iterator[list[pytest.TestReport]]:
    """Yield a list of what subtests report inside, instead of reporting it: only the last run of an item counts."""
    reports = list[pytest.TestReport]()
    session: Any = item.session
    hooks_at = session.gethookproxy
    session.gethookproxy = lambda path: _Relay(hooks_at(path), reports)
    if find_spec("_pytest.subtests") is not None:  # since pytest 9
        failed = item.config.stash[import_module("_pytest.subtests").failed_subtests_key]
        failed.pop(getattr(item, "id", item.nodeid), None)
    try:
        yield reports
    finally:
        del session.gethookproxy
