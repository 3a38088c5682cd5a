"""Where an incompatibility is in the newer file, and what changed there, as the first line of a finding says it."""

from __future__ import annotations

from contract_test.compare import RULES
from contract_test.compare.keyword_rules import change, texts
from contract_test.compat.snapshot import Pair
from contract_test.data.verdict import ABSENT, Incompatibility
from contract_test.schema.walk import escape

_REMOVED_FROM_A_LIST = ("enum-value-removed", "alternative-removed")


def place_in_newer(pair: Pair, reason: Incompatibility) -> str:
    """Return the JSON pointer of an incompatibility in the newer schema."""
    if pair.newer is pair.writer:
        return reason.writer_pointer
    name = _required_name(reason)
    around = reason.reader_pointer.removesuffix("/required")
    if name is not None and pair.reader.declares(around, name):
        return f"{around}/properties/{escape(name)}"
    return reason.reader_pointer


def what_changed(pair: Pair, reason: Incompatibility) -> str:
    """Return what changed, and in which alternative.

    If the reader is the newer side: `string → integer`. If it is the older one, each side is named, because people read
    an arrow as from old to new: `number in v2, integer in v1`. What was taken out of a list is shown with what is left.
    """
    others = len(reason.together)
    more = f" (together with {others} more change{'s' if others > 1 else ''})" if others else ""
    where = f"where {reason.alternative}: " if reason.alternative else ""
    sentence = _by_arrow(reason) if pair.newer is pair.reader else _by_side(pair, reason)
    return f"{where}{sentence}{more}"


def _by_arrow(reason: Incompatibility) -> str:
    name = _required_name(reason)
    if reason.rule in ("property-removed", "property-added"):
        return f"{reason.before}: declared → not accepted"
    if name is not None:
        return f"{name}: {_state(reason, name)} → required"
    if reason.rule in _REMOVED_FROM_A_LIST and reason.after is not ABSENT:
        before, after = texts(reason.before, reason.after)
        return f"{before} removed, {after} left"
    return change(reason.before, reason.after) or RULES[reason.rule].explanation


def _by_side(pair: Pair, reason: Incompatibility) -> str:
    newer, older = pair.writer.label, pair.reader.label
    name = _required_name(reason)
    if reason.rule in ("property-removed", "property-added"):
        return f"{reason.before}: declared in {newer}, not accepted by {older}"
    if name is not None:
        return f"{name}: {_state(reason, name)} in {newer}, required by {older}"
    if reason.before is ABSENT and reason.after is ABSENT:
        return RULES[reason.rule].explanation
    before, after = texts(reason.before, reason.after)
    if reason.rule in _REMOVED_FROM_A_LIST:
        return f"{before} added in {newer}, {older} accepts only {after}"
    return f"{before} in {newer}, {after} in {older}"


def _required_name(reason: Incompatibility) -> str | None:
    """The property that became required, if that is the reason."""
    return reason.after if reason.rule == "required-property-added" and isinstance(reason.after, str) else None


def _state(reason: Incompatibility, name: str) -> str:
    return "optional" if reason.writer_pointer.endswith(f"/properties/{escape(name)}") else "absent"
