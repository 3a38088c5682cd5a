"""Docstrings from the words of a schema, escaped so that they cannot become code."""

from __future__ import annotations

import re
import textwrap

from contract_test.schema.names import literal

WIDTH = 100
_STRUCTURED = re.compile(r"^\s+\S|^\s*(?:[-*+>|#]|\d+[.)]|```)", re.MULTILINE)
"""Indented lines, lists, quotes, tables, headings and code: their line breaks mean something."""


def docstring(text: str, indent: str) -> str:
    """Return a docstring with a text. Paragraphs are wrapped; lists, tables and code keep their lines."""
    lines = [line.rstrip() for line in text.strip().expandtabs(4).splitlines()]
    if not lines or not all(line.isprintable() for line in lines):
        return f"{indent}{literal(' '.join(text.split()))}"
    paragraphs = "\n".join(lines).split("\n\n")
    width = WIDTH - len(indent)
    wrapped = "\n\n".join(part if _STRUCTURED.search(part) else _filled(part, width) for part in paragraphs)
    escaped = wrapped.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if "\n" not in escaped and len(escaped) < width and not escaped.endswith('"'):
        return f'{indent}"""{escaped}"""'
    return textwrap.indent(f'"""{escaped}\n"""', indent, lambda line: bool(line.strip()))


def _filled(paragraph: str, width: int) -> str:
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
