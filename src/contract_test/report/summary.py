"""The table at the end of `pytest --contracts`."""

from __future__ import annotations

from contract_test.data.result import Run


def summary_lines(run: Run) -> list[str]:
    """Subject, version, operation, recorded, passed, failed: a line each, under a heading."""
    cells = [("subject", "version", "operation", "recorded", "passed", "failed")]
    for each in run.operations:
        passed, failed = each.count("passed"), each.count("failed")
        cells.append(
            (each.subject, f"v{each.version}", each.operation, str(len(each.played)), str(passed), str(failed))
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
