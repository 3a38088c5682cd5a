"""How other plugins see the runs of an item: pytest-rerunfailures asks for more of them, subtests report their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

Reports = list[pytest.TestReport]
_RERUNS = "rerunfailures"


def run_with_reruns(item: pytest.Item, nextitem: pytest.Item | None, run: Callable[[], Reports]) -> bool:
    """Let pytest-rerunfailures run an item by `run`, by its own rules. Return False if it leaves the item alone."""
    if not item.config.pluginmanager.hasplugin(_RERUNS):
        return False
    plugin: Any = import_module("pytest_rerunfailures")
    usual = plugin.runtestprotocol
    plugin.runtestprotocol = lambda *_, **__: run()
    try:
        return bool(plugin.pytest_runtest_protocol(item, nextitem))
    finally:
        plugin.runtestprotocol = usual


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
