"""Filters messages by the times in them, for sources that keep no times themselves."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime

from contract_test.data.errors import CatalogError
from contract_test.data.interaction import Tapped


def skip_before(
    messages: Generator[Tapped | None], since: datetime, time_of: Callable[[Tapped], datetime | None]
) -> Generator[Tapped | None]:
    """Yield the messages, except those that were sent before a time.

    `time_of` returns None for a message without a time, and raises ValueError for one that cannot be read. Such a
    message is yielded, too. Raises CatalogError at the first message without a time.
    """
    with closing(messages):
        for message in messages:
            if message is not None:
                try:
                    time = time_of(message)
                except ValueError:
                    yield message
                    continue
                if time is None:
                    raise CatalogError(
                        "--since: neither the server nor the message says when it was sent",
                        place=", ".join(f"{name} {value}" for name, value in message.seen.items()),
                        advice='Leave --since out, or write time = "/POINTER" in [subjects."NAME"] of catalog.toml.',
                    )
                if time < since:
                    continue
            yield message
