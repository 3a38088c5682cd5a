"""Every benchmark, one after the other, and one table: `python tests/benchmarks [NAME ...] [--keep]`.

Each runs in a process of its own, so that none meets what another has left in memory. What a benchmark could not measure is a
row of the table too; one that fails is a row, and the exit code is 3. The column "moved" says which figures changed by more
than the noise since the committed runs (`committed.py`). `--keep` adds this run to them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from committed import NEW, Run, committed, keep, machine, moved
from table import Row, markdown

FOLDER = Path(__file__).parent
MAX_SECONDS = 900.0  # seconds for one benchmark


def measure(name: str) -> tuple[list[Row], bool]:
    """The rows of one benchmark, and whether it came to its end."""
    print(f"{name} …", file=sys.stderr, flush=True)
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--json"]
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=MAX_SECONDS)
        output, failure = done.stdout, f"exit code {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        output, failure = (error.stdout or b"").decode(), f"stopped after {MAX_SECONDS:.0f} s"
    rows = [Row(**json.loads(line)) for line in output.splitlines()]
    if failure:
        rows.append(Row("", name, None, note=failure))
    return rows, not failure


def _moved_lines(rows: list[Row], runs: list[Run], speed: float) -> str:
    """Which figures moved by more than the noise since the committed runs."""
    if not runs:
        return "No run is committed to compare with."
    changes = [(row, moved(row, runs, speed)) for row in rows]
    lines = [f"- {row.area}, {row.what}: {change}" for row, change in changes if change not in ("", NEW)]
    days = ", ".join(run["day"] for run in runs)
    head = f"{len(lines)} of {len(rows)} figures moved by more than the noise since the committed runs ({days})"
    return "\n".join([f"{head}{':' if lines else '.'}", *lines])


def main() -> int:
    """Print the table, with the day and the machine that it is of."""
    there = sorted(each.stem for name in ("*_speed.py", "*_holdout.py") for each in FOLDER.glob(name))
    names = [each for each in sys.argv[1:] if each != "--keep"] or there
    if unknown := set(names) - set(there):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    started, before = time.perf_counter(), machine()
    measured = [measure(name) for name in names]
    speed = (before + machine()) / 2
    rows = [row for found, _ in measured for row in found]
    print(f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
          f"Python {platform.python_version()}; everything on loopback, all in one run of "
          f"{(time.perf_counter() - started) / 60:.1f} minutes.\n")  # fmt: skip
    runs = committed()
    print(markdown(rows, [moved(row, runs, speed) for row in rows]))
    print(f"\n{_moved_lines(rows, runs, speed)}")
    if "--keep" in sys.argv:
        keep(rows, speed)
    return 0 if all(complete for _, complete in measured) else 3


if __name__ == "__main__":
    sys.exit(main())
