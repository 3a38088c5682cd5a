"""A progress bar for a long run on a terminal; in a pipe there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_LONG = 1.0  # seconds


def with_progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Give the items one by one; what takes longer than a second shows on stderr how far it is."""
    if not sys.stderr.isatty():
        yield from items
        return
    started, done = time.monotonic(), 0
    remaining = iter(items)
    for item in remaining:
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
        task = progress.add_task(what, total=len(items), completed=done)
        for item in remaining:
            yield item
            progress.advance(task)
