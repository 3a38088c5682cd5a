"""A progress bar for a long run on a terminal; in a pipe there is none."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")
_LONG = 1.0  # seconds
_PLAIN_EVERY = 10.0  # seconds


def with_progress(
    items: Iterator[Item], total: int, what: str, count: Callable[[Item], int] = lambda _: 1
) -> Iterator[Item]:
    """Give the items one by one; what takes longer than a second shows on stderr how far it is.

    `count` returns how much of the total one item is.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    started, done = time.monotonic(), 0
    for item in items:
        yield item
        done += count(item)
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
            progress.advance(task, count(item))


def with_rates(
    messages: Iterator[Item | None], describe: Callable[[], str], total: int | None
) -> Iterator[Item | None]:
    """Give messages one by one; None is a moment without any.

    On a terminal a bar shows how many were read, how fast, and what `describe` says; in a pipe a line now and then.
    """
    started = shown = time.monotonic()
    read = 0
    if not sys.stderr.isatty():
        for message in messages:
            yield message
            read += message is not None
            now = time.monotonic()
            if now - shown > _PLAIN_EVERY:
                shown = now
                print(f"{read} read, {read / (now - started):.0f}/s, {describe()}", file=sys.stderr, flush=True)  # noqa: T201 - progress for people
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.completed} read, {task.fields[rate]:.0f}/s"),
        BarColumn(20),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, rate=0.0)
        for message in messages:
            yield message
            read += message is not None
            now = time.monotonic()
            if now - shown > 0.1:  # noqa: PLR2004 - ten times a second
                shown = now
                progress.update(task, completed=read, rate=read / (now - started), description=describe())


def until_interrupted(messages: Iterator[Item]) -> Iterator[Item]:
    """End at Ctrl-C, or when asked to terminate, between two messages: what was read so far counts."""
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal stopped
        if stopped:  # asked twice: at once
            raise KeyboardInterrupt
        stopped = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for message in messages:
            yield message
            if stopped:
                return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
