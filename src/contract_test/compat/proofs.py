"""Verdicts that an earlier run reached on the same content: kept in the user's cache, and confirmed when used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from contract_test.compat.snapshot import Pair
from contract_test.data.verdict import ABSENT, Incompatibility, Verdict
from contract_test.files.lock import digest
from contract_test.files.proof_cache import ProofCache, key_of

_DECIDED = ("compatible", "incompatible")


class Proofs:
    """The cache as a comparison of pairs uses it. "unknown" is not kept: more time may decide it."""

    def __init__(self, cache: ProofCache, content_model: str, budget: float) -> None:
        self._cache, self._options = cache, (content_model, repr(budget))
        self._digests: dict[int, str] = {}

    def known(self, pairs: Sequence[Pair]) -> list[Verdict | None]:
        """Return the kept verdict of each pair; None where there is none whose witnesses break today."""
        keys = [self._key(pair) for pair in pairs]
        kept = self._cache.get_all(keys)
        return [_confirmed(pair, kept.get(key)) for pair, key in zip(pairs, keys, strict=True)]

    def keep(self, pair: Pair, verdict: Verdict | None) -> None:
        """Keep the verdict of a pair."""
        if verdict is not None and verdict.status in _DECIDED:
            self._cache.put(self._key(pair), _as_json(verdict))

    def _key(self, pair: Pair) -> str:
        """The content of both sides with all that it reaches, and the options."""
        sends = "undeclared" if pair.writer.contract.sends_undeclared else ""
        newer = "reader" if pair.newer is pair.reader else "writer"
        return key_of(
            self._digest(pair.writer.contract), self._digest(pair.reader.contract), newer, sends, *self._options
        )

    def _digest(self, contract: Any) -> str:
        known = self._digests.get(id(contract))
        if known is None:
            known = self._digests[id(contract)] = digest(contract)
        return known


def _confirmed(pair: Pair, kept: Mapping[str, Any] | None) -> Verdict | None:
    """A kept verdict, if both validators say of its witnesses what they said then."""
    if kept is None:
        return None
    try:
        verdict = _from_json(kept)
    except (TypeError, ValueError, KeyError):
        return None
    if verdict.status == "compatible":
        return verdict
    witnesses = [verdict.witness, *(each.witness for each in verdict.incompatibilities)]
    shown = [each for each in witnesses if each is not ABSENT]
    writer, reader = pair.writer.validator, pair.reader.validator
    if verdict.status != "incompatible" or not shown or writer is None or reader is None:
        return None
    try:
        holds = all(writer.is_valid(each) and not reader.is_valid(each) for each in shown)
    except ValueError:
        return None
    return verdict if holds else None


def _as_json(verdict: Verdict) -> dict[str, Any]:
    reasons = [_members(each) for each in verdict.incompatibilities]
    return {**_members(verdict), "incompatibilities": reasons}


def _members(value: Verdict | Incompatibility) -> dict[str, Any]:
    members = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: member for name, member in members.items() if member is not ABSENT}


def _from_json(kept: Mapping[str, Any]) -> Verdict:
    reasons = []
    for each in kept["incompatibilities"]:
        members = {"before": ABSENT, "after": ABSENT, **each}
        reasons.append(Incompatibility(**{**members, "together": tuple(members["together"])}))
    return Verdict(**{**kept, "incompatibilities": tuple(reasons)})
