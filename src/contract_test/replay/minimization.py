"""Shrinking: from a variation that fails to the smallest one that still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from contract_test.compare.shrinking import shrink
from contract_test.replay.cases import Case, Replay
from contract_test.replay.variation_cases import vary
from contract_test.replay.variations.derivation import Variation
from contract_test.replay.variations.edits import Edit
from contract_test.schema.fields import fields_of

MAX_TRIES = 60


def smallest(replay: Replay, case: Case, fails: Callable[[Case], bool]) -> Case:
    """Leave out changes, and fields that need not be there, and make smaller what was changed, as long as it fails."""
    assert case.base is not None
    assert case.variation is not None
    search = _Search(replay, case.base, fails)
    best = search.without(case.variation)
    best = search.with_less(best)
    for index, edit in enumerate(best.edits):
        if edit.value:
            best = search.with_smaller(best, index)
    return search.best or case


class _Search:
    def __init__(self, replay: Replay, base: Case, fails: Callable[[Case], bool]) -> None:
        self._replay, self._base, self._fails = replay, base, fails
        self._tries = MAX_TRIES
        contract = base.subject.contracts[base.version]
        self._fields = fields_of(contract.resources, contract.uri)
        self._validator = replay.runtime.value_object(contract.subject, contract.version).__contract__.validator
        self.best: Case | None = None

    def still(self, variation: Variation) -> bool:
        """Whether a variation fails too, and is legal."""
        unknown = any(edit.what == "unknown" for edit in variation.edits)
        if self._tries <= 0 or not (unknown or self._validator.is_valid(variation.applied(self._base.message.data))):
            return False
        case = vary(self._replay, self._base, variation)
        if case is None:
            return False
        self._tries -= 1
        if self._fails(case):
            self.best = case
            return True
        return False

    def without(self, variation: Variation) -> Variation:
        """Leave out as many changes as can be."""
        found = True
        while found:
            found = False
            for edits in _fewer(variation.edits):
                candidate = replace(variation, edits=edits)
                if self.still(candidate):
                    variation, found = candidate, True
                    break
        return variation

    def with_less(self, variation: Variation) -> Variation:
        """Take optional fields away that nothing was changed in."""
        for place in self._fields.places:
            touched = any(f"{edit.pointer}/".startswith(f"{place.pointer}/") for edit in variation.edits)
            data = variation.applied(self._base.message.data)
            if place.required or place.name is None or touched or "*" in place.pointer:
                continue
            candidate = replace(variation, edits=(*variation.edits, Edit(place.pointer, "absent")))
            if candidate.applied(self._base.message.data) != data and self.still(candidate):
                variation = candidate
        return variation

    def with_smaller(self, variation: Variation, index: int) -> Variation:
        """Make one changed value smaller."""
        edit = variation.edits[index]

        def replaced(value: Any) -> Variation:
            edits = list(variation.edits)
            edits[index] = replace(edit, value=(value,))
            return replace(variation, edits=tuple(edits))

        return replaced(shrink(edit.value[0], lambda value: self.still(replaced(value))))


def _fewer(edits: Sequence[Edit]) -> Iterator[tuple[Edit, ...]]:
    half = len(edits) // 2
    if half > 1:
        yield tuple(edits[:half])
        yield tuple(edits[half:])
    if len(edits) > 1:
        for index in range(len(edits)):
            yield (*edits[:index], *edits[index + 1 :])
