"""The figures of earlier runs, in `figures.json`, and which figures of this run moved by more than the noise.

A figure moved if it is outside the range of the committed runs, widened by a tenth; where only one run has it, by a third.
Times and rates are first brought to the speed of this machine, as far as a fixed piece of work tells it. Ratios are not.
`python tests/benchmarks --keep` adds its run to the file, of which the latest five stay.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from table import Row

FILE = Path(__file__).with_name("figures.json")
MAX_RUNS = 5
NEW = "new"
NOISE, NOISE_OF_ONE_RUN = 0.10, 0.33
_TIME = re.compile(r"(CPU )?(s|ms|µs)")

Run = dict[str, Any]
"""`day`, `machine` (milliseconds of the fixed piece of work; None if unknown) and `figures`: values by name."""


def machine() -> float:
    """Return how many milliseconds of CPU a fixed piece of work takes here."""
    document = [{"name": f"name {number}", "number": number, "list": [number] * 5} for number in range(1000)]
    taken = []
    for _ in range(9):
        started = time.process_time()
        for _ in range(5):
            hashlib.sha256(json.dumps(json.loads(json.dumps(document)), sort_keys=True).encode()).hexdigest()
        taken.append((time.process_time() - started) * 1e3)
    return median(taken)


def committed() -> list[Run]:
    """Return the runs that were committed, the oldest first."""
    return json.loads(FILE.read_text(encoding="utf-8"))["runs"] if FILE.is_file() else []


def name_of(row: Row) -> str:
    """Return what identifies a figure among those of all benchmarks."""
    return f"{row.area}: {row.what}"


def keep(rows: Sequence[Row], speed: float) -> None:
    """Add a run to the file. Figures that it did not measure stay those of the runs before."""
    figures = {name_of(row): float(f"{row.value:.4g}") for row in rows if row.value is not None}
    runs = [*committed(), {"day": f"{datetime.now(UTC):%Y-%m-%d}", "machine": round(speed, 2), "figures": figures}]
    FILE.write_text(json.dumps({"runs": runs[-MAX_RUNS:]}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def moved(row: Row, runs: Sequence[Run], speed: float) -> str:
    """Return by how much a figure moved, such as `+40 %`; "" if by no more than the noise, NEW if no run has it."""
    if row.value is None or not row.value > 0:
        return ""
    found = [
        each["figures"][name_of(row)] * _factor(row.unit, each["machine"], speed)
        for each in runs
        if each["figures"].get(name_of(row), 0) > 0
    ]
    if not found:
        return NEW
    noise = 1 + (NOISE if len(found) > 1 else NOISE_OF_ONE_RUN)
    if min(found) / noise <= row.value <= max(found) * noise:
        return ""
    return f"{row.value / median(found) - 1:+.0%}".replace("%", " %")


def _factor(unit: str, then: float | None, now: float) -> float:
    """Return what a figure of another run is multiplied by, so that it is one of a machine as fast as this one."""
    if then is None:
        return 1.0
    if _TIME.fullmatch(unit):
        return now / then
    return then / now if unit.endswith("/s") else 1.0
