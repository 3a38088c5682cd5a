"""What a proposal rests on, as lines for people and as data for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from contract_test.data.texts import counted
from contract_test.infer.description import Evidence
from contract_test.infer.evidence import MIN_MESSAGES
from contract_test.infer.inference import Inferred
from contract_test.infer.traffic import Traffic

FORMAT = 1
MAX_LINES = 12
"""How many fields are listed for each kind of conclusion. `--format json` lists all."""

_SURE = {
    "required": "{fields} required",
    "optional": "{fields} optional, because some objects lack them",
    "format": "{fields} with a format",
    "bounds": "{fields} never negative",
    "enum": "{fields} with an enum",
    "tag": "{fields} as the tag of alternatives",
}


def evidence_lines(inferred: Inferred) -> Iterator[str]:
    """Yield what is settled in one line for each kind, and what is not with the option that settles it."""
    by_kind: dict[str, list[Evidence]] = {}
    for each in dict.fromkeys(inferred.evidence):
        by_kind.setdefault(each.about, []).append(each)
    for about, rows in by_kind.items():
        sure = [each for each in rows if each.sure]
        if about == "map":
            yield from (f"{each.pointer or '/'}: is {each.sentence}" for each in sure)
        elif sure:
            seen = sorted(each.seen for each in sure)
            messages = counted(seen[-1], "message")
            if seen[0] != seen[-1]:
                messages = f"{seen[0]} to {messages}"
            yield f"{_SURE.get(about, about).format(fields=counted(len(sure), 'field'))}: on {messages}"
    for about, rows in by_kind.items():
        unsure = [each for each in rows if not each.sure]
        if about == "bounds" and unsure:
            most = counted(max(each.seen for each in unsure), "message")
            yield f"{counted(len(unsure), 'field')} never negative, on {most} at most: too few for a minimum of 0"
        else:
            yield from _unsure(unsure)


def _unsure(rows: Sequence[Evidence]) -> Iterator[str]:
    for each in rows[:MAX_LINES]:
        option = f". If it is so, add {each.option} {each.pointer}" if each.option else ""
        yield f"{each.pointer or '/'}: {each.sentence} (on {counted(each.seen, 'message')}){option}"
    if len(rows) > MAX_LINES:
        yield f"and {counted(len(rows) - MAX_LINES, 'field')} more of this kind, which --format json lists"


def needs_more(inferred: Inferred) -> str | None:
    """Return a sentence if more messages would settle what is open."""
    if inferred.version == 1 and inferred.used < MIN_MESSAGES:
        return f"{MIN_MESSAGES} messages are enough to call a field required. Read more, or say what you know"
    return None


def as_data(inferred: Inferred, traffic: Traffic) -> dict[str, Any]:
    """Return a proposal as JSON values."""
    return {
        "subject": inferred.subject,
        "version": inferred.version,
        "known": inferred.known,
        "codec": traffic.codec,
        "type": inferred.type,
        "messages": inferred.used,
        "earlier_versions": inferred.older,
        "left_out": inferred.left_out,
        "unreadable": dict(traffic.unreadable),
        "sampled": traffic.is_sampled,
        "schema": inferred.schema,
        "remarks": [{"pointer": pointer, "sentence": sentence} for pointer, sentence in inferred.remarks],
        "evidence": [
            {
                "pointer": each.pointer,
                "about": each.about,
                "conclusion": each.sentence,
                "messages": each.seen,
                "of": each.messages,
                "settled": each.sure,
                "narrowed_by": f"{each.option} {each.pointer}" if each.option and not each.sure else None,
            }
            for each in dict.fromkeys(inferred.evidence)
        ],
        "incompatible": [
            {"file": each.file, "pointer": each.pointer, "rule": each.rule, "sentence": each.sentence}
            for each in inferred.incompatible
        ],
    }
