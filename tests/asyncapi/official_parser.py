"""AsyncAPI's own parser, which needs Node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ecosystem.sdks import programs

HERE = Path(__file__).parent


class Parsed(NamedTuple):
    """What the parser says of a document."""

    errors: list[str]
    messages: list[str]


def parse(paths: Sequence[Path]) -> list[Parsed]:
    """Give documents to the parser, all in one process, because it starts slowly."""
    command = programs.node_script(HERE / "parser", "parse.mjs")
    lines: list[dict[str, Any]] = programs.run_paths(command, paths)
    assert [each["path"] for each in lines] == [str(path) for path in paths]
    return [Parsed(each["errors"], each["messages"]) for each in lines]
