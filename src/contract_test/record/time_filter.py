"""Messages from a place that keeps no times, by the times that they say themselves."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime

from contract_test.data.errors import CatalogError
from contract_test.data.interaction import Tapped


def sent_since(
    messages: Generator[Tapped | None], since: datetime, time_of: Callable[[Tapped], datetime | None]
) -> Generator[Tapped | None]:
    """Leave out what was sent before a time.

    `time_of` gives None for a message that does not say when it was sent, and raises ValueError for one that cannot be
    read: that may have been sent at any time, and stays. Raises CatalogError at the first message without a time.
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
