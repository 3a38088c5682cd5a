"""Text that nothing takes as a command: strangers write messages; terminals and CI servers read reports."""

from __future__ import annotations

import json
import re
from typing import Any

from contract_test.data.texts import printable

_LOG_COMMAND = re.compile(r"##(?=[A-Za-z0-9_-]*\[)")
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")


def _without_commands(text: str) -> str:
    return _LOG_COMMAND.sub("#\\\\x23", text)


def log_line(text: str) -> str:
    r"""Return a printable line that a CI server takes for no command, such as `##[add-mask]` or `::stop-commands`."""
    line = _without_commands(printable(text))
    return line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line


def coloured_line(text: str) -> str:
    """Return the same, but colours stay: pytest writes them itself."""
    return "".join(part if number % 2 else printable(part) for number, part in enumerate(_COLOUR.split(text)))


def workflow_command(level: str, text: str, **properties: str) -> str:
    """Return a workflow command of GitHub, as one line: `::error file=a.json,line=1::text`."""
    named = ",".join(f"{name}={_workflow_property(value)}" for name, value in properties.items())
    return f"::{level} {named}::{_workflow_data(text)}\n"


def _workflow_data(text: str) -> str:
    return printable(_without_commands(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _workflow_property(text: str) -> str:
    return _workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def json_line(value: Any) -> str:
    """Return a JSON value in one line that does nothing to a terminal or to a CI server."""
    return json_escaped(json.dumps(value, ensure_ascii=False))


def json_escaped(text: str) -> str:
    """Return a JSON text in which what cannot be printed is escaped, as JSON has it.

    So is what begins a command of a CI server: `##[`.
    """
    lines = (
        "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)
        for line in text.split("\n")
    )
    return "\n".join(lines).replace("##", "#\\u0023")
