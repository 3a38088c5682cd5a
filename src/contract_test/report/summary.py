"""The end of `pytest --contracts` on a terminal: a table, and what a tired person needs to know of each failure."""

from __future__ import annotations

from contract_test.data.result import Run
from contract_test.report.inert import printable
from contract_test.report.kinds import kinds

_SHOWN = 10


def summary_lines(run: Run) -> list[str]:
    """Subject, version, operation; how many messages were recorded, and made of those; how many passed, and failed."""
    cells: list[tuple[str, ...]] = [("subject", "version", "operation", "recorded", "varied", "passed", "failed")]
    for each in run.operations:
        recorded = sum(played.origin == "recorded" for played in each.played)
        numbers = (recorded, len(each.played) - recorded, each.count("passed"), each.count("failed"))
        cells.append((each.subject, f"v{each.version}", each.operation, *map(str, numbers)))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def failure_lines(run: Run) -> list[str]:
    """Every way in which messages failed: what, why, which message, whom it concerns, what to do."""
    found = kinds(run)
    lines = []
    for kind in found[:_SHOWN]:
        lines += [
            "",
            kind.title,
            f"  why      {kind.reason}",
            f"  message  {kind.example}",
            f"  affects  {kind.affected}",
        ]
        if kind.failure.advice:
            lines.append(f"  to do    {kind.failure.advice}")
    if len(found) > _SHOWN:
        lines += ["", f"and {len(found) - _SHOWN} other ways to fail; --contracts-report FILE.html shows them all"]
    return list(map(printable, lines))
