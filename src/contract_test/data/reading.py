"""How much of a channel is read, and the notes that are made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Mark = str | int
Since = datetime | Literal["earliest", "latest"] | None


@dataclass
class Reading:
    """One run over a channel.

    `since` None goes on after `marks` (what a source called its places in an earlier run), else begins at the earliest.
    `rate` is in messages a second of a server; `limit`, `seconds` and `max_bytes` end the run. While it runs,
    `notes` gathers what people have to know: what left the channel before it was read. Of an address with `*`, those
    in `left_out` are not read: they have channels of their own. Of an exchange, what comes with `routing_keys` is read.
    """

    since: Since = None
    follow: bool = False
    rate: int = 10_000
    limit: int | None = None
    seconds: float | None = None
    max_bytes: int | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: frozenset[str] = frozenset()
    routing_keys: tuple[str, ...] = ()

    def note(self, text: str) -> None:
        """Add a note once."""
        if text not in self.notes:
            self.notes.append(text)
