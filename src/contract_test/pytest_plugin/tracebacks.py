"""What pytest shows of a failure, made inert: a diff of two texts would print a message's own control characters."""

from __future__ import annotations

from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntry, ReprEntryNative, ReprFileLocation, ReprTraceback

from contract_test.report.inert import coloured_line


def make_inert(report: pytest.TestReport) -> None:
    """Escape what is no printable text in the lines that a report holds."""
    shown: Any = report.longrepr
    if isinstance(shown, str):
        report.longrepr = _lines(shown)
    elif isinstance(shown, ExceptionChainRepr):
        for traceback, crash, _ in shown.chain:
            _traceback(traceback, crash)
    elif hasattr(shown, "reprtraceback"):
        _traceback(shown.reprtraceback, shown.reprcrash)


def _traceback(traceback: ReprTraceback, crash: ReprFileLocation | None) -> None:
    for entry in traceback.reprentries:
        if isinstance(entry, ReprEntry | ReprEntryNative):
            entry.lines = [_lines(line) for line in entry.lines]
    if crash is not None:
        crash.message = _lines(crash.message)


def _lines(text: str) -> str:
    return "\n".join(map(coloured_line, text.split("\n")))
