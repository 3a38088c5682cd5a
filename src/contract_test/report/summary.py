"""The table at the end of `pytest --contracts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What became of one operation's recorded messages of one version."""

    subject: str
    version: int
    operation: str
    outcomes: Counter[str]


def summary_lines(rows: Sequence[Row]) -> list[str]:
    """Subject, version, operation, recorded, passed, failed: a line each, under a heading."""
    cells = [("subject", "version", "operation", "recorded", "passed", "failed")]
    for row in rows:
        total = sum(row.outcomes.values())
        passed, failed = row.outcomes["passed"], row.outcomes["failed"]
        cells.append((row.subject, f"v{row.version}", row.operation, str(total), str(passed), str(failed)))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
