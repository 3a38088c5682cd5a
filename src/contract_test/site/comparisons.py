"""Pairs of versions: which ones are compared, and what is told of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from contract_test.compat.findings import OWN_RULES
from contract_test.compat.owners import with_owners
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import Outcome
from contract_test.compat.snapshot import Pair, Snapshot
from contract_test.data.contract import Catalog
from contract_test.data.finding import Finding
from contract_test.data.verdict import ABSENT
from contract_test.files.proof_cache import ProofCache
from contract_test.site.data import Break, Direction

MAX_WITNESS_LENGTH = 4000
MAX_REASONS = 30
Pairs = Literal["near", "all"]


@dataclass(frozen=True)
class Compared:
    """Two versions and the outcome of both directions."""

    older: int
    newer: int
    backward: Outcome
    forward: Outcome


def version_pairs(versions: Sequence[int], pairs: Pairs) -> list[tuple[int, int]]:
    """Return which versions are compared: neighbours, and each with the newest; or all of them."""
    if pairs == "all":
        return [(older, newer) for at, newer in enumerate(versions) for older in versions[:at]]
    neighbours = set(pairwise(versions))
    return sorted(neighbours | {(each, versions[-1]) for each in versions[:-1]})


def compare_all(
    catalog: Catalog,
    snapshots: Mapping[str, Mapping[int, Snapshot]],
    pairs: Pairs,
    budget: float,
    package: str | None,
    cache: ProofCache,
) -> Iterator[tuple[str, Compared]]:
    """Yield the subject and the outcome of each pair of versions, as `compat` judges it."""
    chosen = [
        (name, older, newer)
        for name, versions in snapshots.items()
        for older, newer in version_pairs(sorted(versions), pairs)
    ]
    asked = []
    for name, older, newer in chosen:
        old, new, subject = snapshots[name][older], snapshots[name][newer], catalog.subjects[name]
        asked += [Pair(old, new, "BACKWARD", subject), Pair(new, old, "FORWARD", subject)]
    outcomes = compare_pairs(asked, "closed-writer", budget, package, cache=cache)
    for name, older, newer in chosen:
        both = (next(outcomes), next(outcomes))
        backward, forward = (replace(each, findings=tuple(with_owners(each.findings, catalog))) for each in both)
        yield name, Compared(older, newer, backward, forward)


def direction(outcome: Outcome, writer: int, reader: int) -> Direction:
    """Return one direction of a pair as the site shows it."""
    reasons = [_reason(each) for each in outcome.findings[:MAX_REASONS]]
    note = outcome.note
    if len(outcome.findings) > MAX_REASONS:
        note = f"{len(outcome.findings) - MAX_REASONS} more reasons are not shown here."
    if outcome.status == "unknown" and not note:
        note = OWN_RULES["unknown"].explanation
    return Direction(writer, reader, outcome.status, note, tuple(reasons))


def _reason(finding: Finding) -> Break:
    witness = ""
    if finding.witness is not ABSENT:
        witness = json.dumps(finding.witness, ensure_ascii=False, indent=2)
        witness = witness if len(witness) <= MAX_WITNESS_LENGTH else ""
    return Break(
        finding.rule,
        finding.pointer,
        finding.sentence,
        finding.advice,
        witness,
        finding.recorded if witness else "",
        finding.rejected,
        finding.rejected_at or "",
        finding.affected,
        finding.breaks,
    )
