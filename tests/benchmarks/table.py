"""What a benchmark reports: rows of a goal beside what this run measured.

A benchmark is a script of this folder that ends with `report(rows)`, where `rows` is a function that measures and gives
its rows. Alone it prints its own table; `python tests/benchmarks` runs them all and prints one. Progress goes to stderr.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `least` or `most` is its goal in the same unit; a figure without one is there to compare with.

    `value` is None where it could not be measured here; `note` then says why.
    """

    area: str
    what: str
    value: float | None
    unit: str = ""
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a figure."""
        if self.value is None or (self.least is None and self.most is None):
            return None
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def cells(self) -> list[str]:
        """What the table shows of it."""
        goal = [f"{sign} {figure(bound)}" for sign, bound in (("≥", self.least), ("≤", self.most)) if bound is not None]
        value = "not measured" if self.value is None else f"{figure(self.value)} {self.unit}".strip()
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        return [self.area, self.what, " ".join([*goal, self.unit]).strip() if goal else "", value, verdict, self.note]


def figure(value: float) -> str:
    """Three significant digits, and whole numbers from 100."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(rows: Sequence[Row], moved: Sequence[str] | None = None) -> str:
    """The table, its columns aligned for a terminal. `moved` says for each row how it moved since the committed runs."""
    table = [["", "figure", "goal", "measured", "", "note"], *(row.cells() for row in rows)]
    if moved is not None:
        for line, change in zip(table, ["moved", *moved], strict=True):
            line.insert(-1, change)
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in table
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def report(rows: Callable[[], Iterable[Row]]) -> None:
    """Measure, and print the table; with `--json` a line for each row, as soon as it is known."""
    if "--json" in sys.argv:
        for row in rows():
            print(json.dumps(dataclasses.asdict(row)), flush=True)
    else:
        print(markdown(list(rows())))
