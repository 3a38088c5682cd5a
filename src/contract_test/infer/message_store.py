"""Messages in memory: compressed, so that many fit, and read again as often as they are needed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from envelopes import Wire

BLOCK_BYTES = 1 << 20
MAX_HELD_BYTES = 128 << 20
"""The size of the compressed messages from which on blocks are replaced at random by later ones."""

_LEVEL = 1  # the fastest
_NO_MASKS: tuple[str, ...] = ()


@dataclass
class _Block:
    first: int
    data: bytes
    sizes: list[int]
    extras: dict[int, tuple[bytes | None, tuple[tuple[str, bytes], ...], Sequence[str]]]


@dataclass(frozen=True)
class Stored:
    """One message, with its number in the order of reading, and the JSON pointers to masked values."""

    number: int
    wire: Wire
    masked: Sequence[str]


@dataclass
class MessageStore:
    """Holds all messages that were read, or a random part of them if they are too large."""

    read: int = 0
    held: int = 0
    _blocks: list[_Block] = field(default_factory=list)
    _pending: list[Stored] = field(default_factory=list)
    _pending_bytes: int = 0
    _bytes: int = 0
    _random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - the same part each time
    _blocks_read: int = 0

    def add(self, wire: Wire, masked: Sequence[str] = _NO_MASKS) -> int:
        """Add a message, and return its number."""
        number = self.read
        self._pending.append(Stored(number, wire, masked))
        self._pending_bytes += len(wire)
        self.read += 1
        self.held += 1
        if self._pending_bytes >= BLOCK_BYTES:
            self._compress()
        return number

    def _compress(self) -> None:
        pending, self._pending, self._pending_bytes = self._pending, [], 0
        extras = {
            place: (each.wire.key, tuple(each.wire.headers), each.masked)
            for place, each in enumerate(pending)
            if each.wire.key is not None or each.wire.headers or each.masked
        }
        data = zlib.compress(b"".join(each.wire for each in pending), _LEVEL)
        block = _Block(pending[0].number, data, [len(each.wire) for each in pending], extras)
        self._blocks_read += 1
        if self._bytes + len(data) <= MAX_HELD_BYTES:
            self._blocks.append(block)
            self._bytes += len(data)
            return
        place = self._random.randrange(self._blocks_read)
        gone = block
        if place < len(self._blocks):
            gone, self._blocks[place] = self._blocks[place], block
            self._bytes += len(data) - len(gone.data)
        self.held -= len(gone.sizes)

    def __iter__(self) -> Iterator[Stored]:
        """Yield the messages in their order."""
        for block in sorted(self._blocks, key=lambda each: each.first):
            data, end = zlib.decompress(block.data), 0
            for place, size in enumerate(block.sizes):
                start, end = end, end + size
                key, headers, masked = block.extras.get(place, (None, (), _NO_MASKS))
                yield Stored(block.first + place, Wire(data[start:end], key, headers), masked)
        yield from self._pending

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Yield the number and the size in bytes of each message."""
        for block in self._blocks:
            yield from enumerate(block.sizes, start=block.first)
        yield from ((each.number, len(each.wire)) for each in self._pending)
