"""A progress bar for a long run on a terminal; in a pipe there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")
_LONG = 1.0  # seconds


def with_progress(items: Iterator[Item], total: int, what: str) -> Iterator[Item]:
    """Give the items one by one; what takes longer than a second shows on stderr how far it is."""
    if not sys.stderr.isatty():
        yield from items
        return
    started, done = time.monotonic(), 0
    for item in items:
        yield item
        done += 1
        if time.monotonic() - started > _LONG:
            break
    else:
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, completed=done)
        for item in items:
            yield item
            progress.advance(task)
