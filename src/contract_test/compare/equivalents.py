"""What references lead to, as numbers: equal in one or several documents for what means the same there.

Two targets mean the same if they read the same but for their references, and these lead to what means the same. So the
targets are sorted into ever finer classes until no class falls apart any more.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

Targets = Mapping[str, tuple[Hashable, tuple[str, ...]]]
"""The pointers that references of a document lead to: what stands there, and the pointers that it refers to."""


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
    classes = [
        {pointer: seen.setdefault(text, len(seen)) for pointer, (text, _) in targets.items()} for targets in documents
    ]
    count = len(seen)
    while True:
        finer: dict[Hashable, int] = {}
        classes = [
            {
                pointer: finer.setdefault((known[pointer], tuple(known.get(ref) for ref in refs)), len(finer))
                for pointer, (_, refs) in targets.items()
            }
            for targets, known in zip(documents, classes, strict=True)
        ]
        if len(finer) == count:
            return classes
        count = len(finer)
