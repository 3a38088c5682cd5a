"""What references lead to, as numbers: equal in one or several documents for what means the same there.

Two targets mean the same if they read the same but for their references, and these lead to what means the same. So the
targets are sorted into ever finer classes until no class falls apart any more.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import count as count_from
from typing import Protocol

Targets = Mapping[str, tuple[Hashable, tuple[str, ...]]]
"""The pointers that references of a document lead to: what stands there, and the pointers that it refers to."""

_MAX_WORK = 1_000_000


class _HasTargets(Protocol):
    def targets(self) -> Targets:
        """Return what references lead to."""


class Equivalents:
    """The numbers of some documents. Documents that are not kept are numbered like those that are, each by itself."""

    def __init__(self) -> None:
        self._kept: list[tuple[Targets, dict[str, int]]] = []
        self._next = 0

    def numbers(self, document: _HasTargets, *, keep: bool) -> dict[str, int]:
        """Return a number for each pointer that a reference of the document leads to."""
        targets = document.targets()
        documents = [*(kept for kept, _ in self._kept), targets]
        classes = _classes(documents)
        known = {
            classes[at][pointer]: number
            for at, (_, numbers) in enumerate(self._kept)
            for pointer, number in numbers.items()
        }
        numbers = {}
        for pointer, kind in classes[-1].items():
            if kind not in known:
                known[kind] = self._next
                self._next += 1
            numbers[pointer] = known[kind]
        if keep:
            self._kept.append((targets, numbers))
        return numbers


def _classes(documents: list[Targets]) -> list[dict[str, int]]:
    """The class of each target of each document."""
    seen: dict[Hashable, int] = {}
    settled = [_settled(targets, seen) for targets in documents]
    left = [
        {pointer: entry for pointer, entry in targets.items() if pointer not in known}
        for targets, known in zip(documents, settled, strict=True)
    ]
    return [known | more for known, more in zip(settled, _refined(left, settled, len(seen)), strict=True)]


def _settled(targets: Targets, seen: dict[Hashable, int]) -> dict[str, int]:
    """The classes of the targets that lead to no circle: each follows from those that it refers to."""
    above: dict[str, list[str]] = {}
    waits_for: dict[str, int] = {}
    for pointer, (_, refs) in targets.items():
        waits_for[pointer] = sum(ref in targets for ref in refs)
        for ref in refs:
            above.setdefault(ref, []).append(pointer)
    ready = [pointer for pointer, number in waits_for.items() if not number]
    found: dict[str, int] = {}
    while ready:
        pointer = ready.pop()
        text, refs = targets[pointer]
        found[pointer] = seen.setdefault((text, tuple(found.get(ref) for ref in refs)), len(seen))
        for other in above.get(pointer, ()):
            waits_for[other] -= 1
            if not waits_for[other]:
                ready.append(other)
    return found


def _refined(left: Sequence[Targets], settled: Sequence[dict[str, int]], first: int) -> list[dict[str, int]]:
    """The classes of the targets that lead to a circle, numbered from `first` on."""
    seen: dict[Hashable, int] = {}
    classes = [
        {pointer: seen.setdefault(text, first + len(seen)) for pointer, (text, _) in targets.items()}
        for targets in left
    ]
    count, size, work = len(seen), sum(map(len, left)), 0
    while True:
        work += size
        if work > _MAX_WORK:  # then nothing is said to mean the same
            numbers = count_from(first)
            return [{pointer: next(numbers) for pointer in targets} for targets in left]
        finer: dict[Hashable, int] = {}
        classes = [
            {
                pointer: finer.setdefault(
                    (known[pointer], tuple(known.get(ref, done.get(ref)) for ref in refs)), first + len(finer)
                )
                for pointer, (_, refs) in targets.items()
            }
            for targets, known, done in zip(left, classes, settled, strict=True)
        ]
        if len(finer) == count:
            return classes
        count = len(finer)
