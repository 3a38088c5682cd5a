"""Counts what Python does, so that a test can say how work grows with its input, on a machine of any speed."""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

LOOK = 0.2
"""Seconds that pass, for whoever looks at the clock, from one look to the next."""


def count_work(call: Callable[[], Any]) -> int:
    """Return how many bytecode instructions a call takes."""
    counted = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted


def growth(work_of: Callable[[int], int], size: int) -> float:
    """Return how the work for more input grows if the input doubles: 2 for linear work, 4 for quadratic.

    What is done for any input, however small, does not count.
    """
    small, middle, large = (work_of(size * times) for times in (1, 2, 4))
    return (large - middle) / max(middle - small, 1)


def let_time_pass_by_looking(monkeypatch: Any) -> None:
    """Let budgets of time end after the same number of looks at the clock on every machine."""
    looks = iter(range(sys.maxsize))
    monkeypatch.setattr(time, "thread_time", lambda: next(looks) * LOOK)
