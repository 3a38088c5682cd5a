"""Novelty: which messages show something that those kept before do not."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contract_test.schema.message_shapes import Shape

MAX_RECORDED = 50
"""A recording that people read: more than one of a shape is kept only while there are no more messages than this."""
MAX_RECORDED_EARLY = 15
MAX_WAITING_SHAPES = 5_000

Item = TypeVar("Item")


@dataclass(order=True, slots=True)
class _Candidate(Generic[Item]):
    """Which of many like it is kept does not hang on the order in which they came: the least of these."""

    rank: tuple[bool, bytes]
    item: Item = field(compare=False)


class Novelty(Generic[Item]):
    """Chooses what a recording keeps of one contract: one message of every shape, and a few more where there is room.

    `recorded` are the shapes of the messages that the recording has; they stay. Where there are more shapes than a
    recording holds, every fact is shown, and as many shapes as fit.
    """

    def __init__(self, recorded: Iterable[Shape], per_shape: int) -> None:
        self.shown: Counter[Shape] = Counter(recorded)
        self._per_shape = per_shape
        self._waiting: dict[Shape, list[_Candidate[Item]]] = {}
        self._wanted: dict[bytes, _Candidate[Item]] = {}

    def is_open(self, shape: Shape) -> bool:
        """Return whether another message of a shape may be kept."""
        return self.shown[shape] < self._per_shape

    def offer(self, shape: Shape, raw: bytes, item: Item, *, preferred: bool = False, wanted: bool = False) -> None:
        """Consider a message. `raw` are its bytes: of two that are equal one is kept.

        Among messages of one shape a `preferred` one goes first; a `wanted` one is kept whatever its shape.
        """
        if wanted:
            digest = hashlib.blake2b(raw, digest_size=8).digest()
            self._wanted.setdefault(digest, _Candidate((False, digest), item))
            return
        if not self.is_open(shape):
            return
        waiting = self._waiting.get(shape)
        if waiting is None:
            if len(self._waiting) >= MAX_WAITING_SHAPES:
                return
            waiting = self._waiting[shape] = []
        rank = (not preferred, hashlib.blake2b(raw, digest_size=8).digest())
        if len(waiting) >= self._per_shape and rank >= waiting[-1].rank:
            return
        if any(each.rank[1] == rank[1] for each in waiting):
            return
        waiting.append(_Candidate(rank, item))
        waiting.sort()
        del waiting[self._per_shape :]

    def choose(self, accept: Callable[[Item], bool], *, last: bool) -> None:
        """Call `accept` with what shall be kept; where it refuses, with the next of the same shape.

        Before the `last` call only a few are more than one of a shape: there may be shapes that need the room.
        """
        for each in sorted(self._wanted.values()):
            accept(each.item)
        self._wanted.clear()
        for shape in self._covering():
            self._keep_one(shape, accept)
        self._fill(accept, MAX_RECORDED if last else MAX_RECORDED_EARLY)

    @property
    def holds_back(self) -> bool:
        """Whether some message waits that the last call may ask for."""
        room = self.shown.total() < MAX_RECORDED
        return room and any(each and self.is_open(shape) for shape, each in self._waiting.items())

    def _covering(self) -> Iterator[Shape]:
        """The shapes that were never kept, as far as there is room; before that those with the most new facts."""
        fresh = {shape: each[0].rank for shape, each in self._waiting.items() if each and not self.shown[shape]}
        room = MAX_RECORDED - self.shown.total()
        if len(fresh) <= room:
            yield from sorted(fresh, key=fresh.__getitem__)
            return
        covered = 0
        for shape, count in self.shown.items():
            covered |= shape if count else 0
        while fresh:
            best = min(fresh, key=lambda shape: (-(shape & ~covered).bit_count(), fresh[shape]))
            if best & ~covered == 0 and room <= 0:
                return
            covered |= best
            room -= 1
            del fresh[best]
            yield best

    def _fill(self, accept: Callable[[Item], bool], most: int) -> None:
        order = sorted((each[0].rank, shape) for shape, each in self._waiting.items() if each)
        for count in range(1, self._per_shape):
            for _, shape in order:
                if self.shown.total() < most and self.shown[shape] == count:
                    self._keep_one(shape, accept)

    def _keep_one(self, shape: Shape, accept: Callable[[Item], bool]) -> None:
        waiting = self._waiting[shape]
        while waiting:
            if accept(waiting.pop(0).item):
                self.shown[shape] += 1
                return
