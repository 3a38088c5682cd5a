"""Verification of a channel's messages against its contracts, in shares for many processes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contract_test.data.contract import Catalog, Channel
from contract_test.data.interaction import Tapped
from contract_test.data.share import Share
from contract_test.record.conformance import ConformanceChecker
from contract_test.record.validator import ContractsCatalog

Write = Callable[[list[Share]], None]
Commit = Callable[[Mapping[str, int]], bool]


@dataclass
class _Part:
    """One part of the channel while we have it: what is committed of it, and what came since."""

    start: int
    checker: ConformanceChecker
    end: int = 0
    done: list[Share] = field(default_factory=list)


class Verifier:
    """Counts one process's messages. A part is a partition, by its mark; messages without one are one part together."""

    def __init__(self, catalog: Catalog, channel: Channel) -> None:
        self._contracts, self._channel = ContractsCatalog(catalog, channel), channel
        self._run = f"run {uuid.uuid4().hex}"
        self._parts: dict[str, _Part] = {}
        self._finished: list[Share] = []
        self.read = self.drifted = 0

    def take(self, message: Tapped) -> None:
        """Count one message."""
        name, place = self._place(message)
        part = self._parts.get(name)
        if part is None:
            part = self._parts[name] = _Part(place, ConformanceChecker(self._contracts, self._channel))
        elif part.end == part.start:
            part.start = place
        before = part.checker.drift.drifted
        part.checker.check(message)
        part.end = place + 1
        self.read += 1
        self.drifted += part.checker.drift.drifted - before

    def time_of(self, message: Tapped) -> datetime | None:
        """Return when a message was sent, if it or the catalog says so. Raises DecodeError where it cannot be read."""
        return self._contracts.read(message.wire, self._channel).time

    def shares(self) -> list[Share]:
        """Return everything so far."""
        found = list(self._finished)
        for name, part in self._parts.items():
            found += part.done
            if part.end > part.start:
                found.append(self._pending(name, part))
        return found

    def save(self, write: Write, commit: Commit | None = None) -> None:
        """Write the result, then commit the group's offsets. Offsets that the group refuses stay uncommitted."""
        write(self.shares())
        fresh = {name: part for name, part in self._parts.items() if part.end > part.start}
        if not fresh or (commit is not None and not commit({name: part.end for name, part in fresh.items()})):
            return
        for name, part in fresh.items():
            share = replace(self._pending(name, part), committed=True)
            if part.done:  # nothing of this part was read by others in between
                last = part.done.pop()
                share = replace(share, start=last.start, drift=last.drift + share.drift)
            part.done.append(share)
            part.start = part.end
            part.checker = ConformanceChecker(self._contracts, self._channel)

    def release(self) -> None:
        """Release all parts, so that others may read them from now on."""
        self._finished = self.shares()
        self._parts = {}

    def _place(self, message: Tapped) -> tuple[str, int]:
        topic, partition, offset = (message.seen.get(name) for name in ("topic", "partition", "offset"))
        if isinstance(offset, int) and message.mark is not None:
            return f"{topic}/{partition}", offset
        part = self._parts.get(self._run)
        return self._run, part.end if part else 0

    def _pending(self, name: str, part: _Part) -> Share:
        return Share(self._channel.name, name, part.start, part.end, committed=False, drift=part.checker.result())
