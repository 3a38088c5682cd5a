"""How far a pair of nodes is from being plainly included: nowhere, here, or some references away."""

from __future__ import annotations

from collections.abc import Iterable

Gap = int | None
"""How many references lie between a pair and the nearest place where it differs.

None where it is included.
"""

HERE = 0


def gap_if(included: bool) -> Gap:  # noqa: FBT001 - it reads as a sentence
    """Return no gap if something is included, else one that is here."""
    return None if included else HERE


def every_gap(gaps: Iterable[Gap]) -> Gap:
    """Return, of what must all be included, the nearest that is not. Nothing is nearer than here."""
    nearest: Gap = None
    for gap in gaps:
        if gap == HERE:
            return gap
        if gap is not None and (nearest is None or gap < nearest):
            nearest = gap
    return nearest


def some_gap(gaps: Iterable[Gap]) -> Gap:
    """Return, of what any may be included, nothing if one is, else the nearest."""
    nearest: Gap = None
    for gap in gaps:
        if gap is None:
            return None
        nearest = gap if nearest is None else min(gap, nearest)
    return HERE if nearest is None else nearest
