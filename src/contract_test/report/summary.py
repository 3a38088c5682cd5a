"""The end of `pytest --contracts` on a terminal: a table, and what a tired person needs to know of each failure."""

from __future__ import annotations

import textwrap

from contract_test.data.result import Run
from contract_test.data.texts import percent, printable
from contract_test.report.kinds import kinds

MAX_KINDS_SHOWN = 10
_SURVIVORS = 30
_NAMES = ("subject", "version", "operation")
"""The first columns, which name an operation."""


def summary_lines(run: Run, width: int = 0) -> list[str]:
    """Return a line an operation and version, under a heading: its messages, what is covered, what became of its tests.

    Where that is wider than `width` (0 is any), the counts stand below the names.
    """
    coverage = {(each.subject, each.version): percent(each.share) for each in run.coverage}
    hidden = {
        *(["strength"] if not any(each.strength for each in run.operations) else []),
        *(["accepted"] if not any(each.accepted for each in run.operations) else []),
    }
    heading = (*_NAMES, "recorded", "varied", "covered", "strength", "passed", "failed", "accepted", "skipped")
    cells = [heading]
    for each in run.operations:
        strength = f"{each.strength.noticed} of {each.strength.total}" if each.strength else "-"
        cells.append((
            each.subject,
            f"v{each.version}",
            each.operation,
            str(each.recorded),
            str(each.varied),
            coverage.get((each.subject, each.version), "-"),
            strength,
            str(each.count("passed")),
            str(each.count("failed") - each.accepted),
            str(each.accepted),
            str(len(each.skipped)),
        ))  # fmt: skip
    shown = [column for column, name in enumerate(heading) if name not in hidden]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heading))]
    lines = ["  ".join(line[column].ljust(widths[column]) for column in shown).rstrip() for line in cells]
    if width == 0 or max(map(len, lines)) <= width:
        return lines
    narrow = []
    for row in cells[1:]:
        counts = ", ".join(f"{heading[column]} {row[column]}" for column in shown[len(_NAMES) :])
        narrow += [
            " ".join(row[: len(_NAMES)]),
            *textwrap.wrap(counts, width, initial_indent="  ", subsequent_indent="  "),
        ]
    return narrow


def survivor_lines(run: Run) -> list[str]:
    """Return the faults that no test noticed, each once with the number of messages."""
    lines = []
    for each in run.operations:
        for pointer, change, count in each.strength.left if each.strength else ():
            where = f"{each.subject} v{each.version} {each.operation}"
            line = f"not noticed: {where}: {pointer or '/'} {change}, in {count} of {each.recorded}"
            lines.append(line if pointer else f"{line}; a fixture `contract_state` can show that it changes nothing")
    more = len(lines) - _SURVIVORS
    return [*map(printable, lines[:_SURVIVORS]), *([f"and {more} more that were not noticed"] if more > 0 else [])]


def failure_lines(run: Run) -> list[str]:
    """Return every way in which messages failed: what, why, which message, whom it concerns, what to do."""
    found = kinds(run)
    lines = []
    for kind in found[:MAX_KINDS_SHOWN]:
        lines += [
            "",
            kind.title,
            f"  why      {kind.reason}",
            f"  message  {kind.example}",
            *([f"  data     {kind.made}"] if kind.made else []),
            f"  affects  {kind.affected}",
            *([f"  accepted {kind.accepted}"] if kind.accepted else []),
        ]
        if kind.failure.advice:
            lines.append(f"  to do    {kind.failure.advice}")
    if len(found) > MAX_KINDS_SHOWN:
        lines += [
            "",
            f"and {len(found) - MAX_KINDS_SHOWN} other ways to fail; --contracts-report FILE.html shows them all",
        ]
    return list(map(printable, lines))
