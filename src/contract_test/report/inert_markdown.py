"""Text of strangers in Markdown: it stays text, whatever it contains."""

from __future__ import annotations

import re

from contract_test.report.inert import log_line

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#+!|~&$^]")
_MENTION = re.compile(r"@|#(?=[0-9])|GH-(?=[0-9])|GH\\-(?=[0-9])")
_ADDRESS = re.compile(r"(?<=[a-zA-Z]):(?=//)|(?<=[wW]{3})\.")
_NOTHING = "\N{ZERO WIDTH SPACE}"


def plain(text: str, most: int = 400) -> str:
    """Return a text as Markdown that is shown as it is: without links, mentions or HTML."""
    escaped = _SPECIAL.sub(r"\\\g<0>", _cut(text, most))
    escaped = _ADDRESS.sub(rf"{_NOTHING}\g<0>", escaped)
    return _MENTION.sub(rf"\g<0>{_NOTHING}", escaped)


def code(text: str, most: int = 300) -> str:
    """Return a text as a code span."""
    text = _cut(text, most) or " "
    fence = _longer_than_any(text, 1)
    padding = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def code_block(text: str, language: str = "") -> str:
    """Return lines as a code block. Lines that a CI server could take for commands are changed."""
    text = "\n".join(map(log_line, text.split("\n")))
    fence = _longer_than_any(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def folded(summary: str, content: str) -> str:
    """Return Markdown that is folded until somebody opens it. The summary must be our own words."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def _cut(text: str, most: int) -> str:
    text = log_line(text)
    return text if len(text) <= most else f"{text[:most]}…"


def _longer_than_any(text: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)
