"""`contract-test demo`: the whole loop, as a person sees it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def processes() -> str:
    return subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout


def test_the_whole_loop_runs_and_leaves_nothing_behind(tmp_path):
    before = (ROOT / "contracts").rglob("*")
    before = {path: path.read_bytes() for path in before if path.is_file()}
    command = Path(sys.executable).parent / "contract-test"
    done = subprocess.run(
        [command, "demo"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=150,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Redis" in done.stdout
    assert "embedded Kafka" in done.stdout
    assert "pointer    /lover: the contract has no such field" in done.stdout
    assert "the breaking change was caught" in done.stdout
    assert str(tmp_path) not in processes(), "a process still uses the demo's folder"
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in (ROOT / "contracts").rglob("*") if path.is_file()} == before
