"""What people read about a class or a field, and the value of a field that is absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from contract_test.generate.alternatives import Reader
from contract_test.schema.sources import list_of
from contract_test.schema.walk import Node

MAX_TITLE_WORDS = 3
MAX_EXAMPLES = 3
MAX_SHOWN = 80


def short_title(reader: Reader, node: Node | None) -> str:
    """Return the title of a schema if it can be a name; a longer one is a sentence."""
    chain = reader.chain(((node,),)) if node is not None else []
    title = next((each.schema["title"] for each in chain if isinstance(each.schema.get("title"), str)), "")
    return title if len(title.split()) <= MAX_TITLE_WORDS else ""


def class_text(node: Node) -> str:
    """Return the title and the description of a schema."""
    schema = node.schema if isinstance(node.schema, dict) else {}
    texts = [schema.get("title"), schema.get("description")]
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def attribute_text(chain: Sequence[Node]) -> str:
    """Return the description of a field, then its limits and examples."""
    description = next((n.schema["description"] for n in chain if isinstance(n.schema.get("description"), str)), "")
    limits = [
        f"{word} {_limit(node.schema[word])}"
        for node in chain
        for word in _LIMITS
        if word in node.schema and node.schema[word] not in ("date-time", "date")
    ]
    examples = next((list_of(node.schema, "examples") for node in chain if list_of(node.schema, "examples")), [])
    shown = [text for text in map(_shown, examples[:MAX_EXAMPLES]) if len(text) <= MAX_SHOWN]
    lines = [f"Limits: {', '.join(dict.fromkeys(limits))}" if limits else ""]
    lines.append(f"{'Example' if len(shown) == 1 else 'Examples'}: {', '.join(shown)}" if shown else "")
    return "\n\n".join(text for text in (description, "\n".join(line for line in lines if line)) if text)


_LIMITS = (
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "format", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip


def _limit(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else _shown(value)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def is_deprecated(chain: Sequence[Node]) -> bool:
    """Return whether the nearest schema that says so calls a field or class deprecated."""
    return next((node.schema["deprecated"] is True for node in chain if "deprecated" in node.schema), False)
