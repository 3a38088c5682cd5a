"""A recorded message for people: what it is, where it was seen, and its payload with what was masked marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contract_test.data.interaction import Interaction
from contract_test.data.texts import inert
from contract_test.files.exact_json import exact_dumps
from contract_test.recordings.provenance import Provenance
from contract_test.schema.walk import escape

Line = tuple[tuple[str, str], ...]
"""Parts of a line with the style of each: `strong`, `dim`, `masked` or none."""

_MASKED = "  (masked)"


def recording_lines(provenance: Provenance, cause: Interaction | None) -> Iterator[Line]:
    """Yield one message, from a heading to an empty line. Nothing in it can do anything to a terminal."""
    each = provenance.interaction
    yield ((f"{inert(each.subject)} v{each.version}", "strong"), (f"  {inert(each.place)}", "dim"))
    seen = ", ".join(f"{name} {value}" for name, value in each.seen.items())
    caused = provenance.cause and f"{provenance.cause} ({cause.place if cause else 'not recorded'})"
    facts = {
        "sent": provenance.time.isoformat() if provenance.time else None,
        "channel": f"{each.channel} ({seen})" if seen else each.channel,
        "key": each.key,
        "cause": caused,
        "prefix": each.prefix,
        "codec": each.codec,
        **{f"header {name}": value for name, value in each.headers.items()},
    }
    for name, value in facts.items():
        if value:
            yield ((f"  {_flat(name):<8} ", "dim"), (_flat(value), ""))
    base = "".join(f"/{escape(str(step))}" for step in provenance.path)
    masked = frozenset(f"{base}{pointer}" for pointer in each.masked)
    yield from _value(each.payload, "", masked, "  ", "", "")
    yield ()


def _value(value: Any, pointer: str, masked: frozenset[str], indent: str, name: str, comma: str) -> Iterator[Line]:
    mark = ((_MASKED, "masked"),) if pointer in masked else ()
    if not isinstance(value, dict | list) or not value:
        text = inert(exact_dumps(value).decode())
        yield ((f"{indent}{name}", ""), (f"{text}{comma}", "masked" if mark else ""), *mark)
        return
    left, right = "{}" if isinstance(value, dict) else "[]"
    yield ((f"{indent}{name}{left}", ""), *mark)
    children = list(value.items() if isinstance(value, dict) else enumerate(value))
    for number, (key, child) in enumerate(children, start=1):
        shown = f"{inert(json.dumps(key, ensure_ascii=False))}: " if isinstance(value, dict) else ""
        last = "" if number == len(children) else ","
        yield from _value(child, f"{pointer}/{escape(str(key))}", masked, f"{indent}  ", shown, last)
    yield ((f"{indent}{right}{comma}", ""),)


def _flat(text: str) -> str:
    return inert(text).replace("\n", "\\n")
