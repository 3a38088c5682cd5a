"""The command line around every command: how it ends where nobody reads, nothing can be written, or somebody stops it."""

import subprocess
import sys
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).parents[2] / "contracts"
MAIN = "from contract_test.cli import main; main()"
SHOW = ("show", "message.liked", "--contracts", CONTRACTS)


def typed(*words, code=MAIN, stdout=subprocess.PIPE):
    return subprocess.run(
        [sys.executable, "-c", code, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("word", "meant"), [("verf", " Did you mean 'verify'?"), ("zzz", "")])
def test_a_command_that_is_mistyped_is_told_which_one_was_meant(word, meant):
    done = typed(word)
    assert done.returncode == 2
    assert done.stderr.endswith(f"No such command '{word}'.{meant}\n")


def test_who_stops_reading_gets_no_error_and_no_findings():
    reading = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reading.wait()
    done = typed(*SHOW, stdout=reading.stdin)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "words", [SHOW, ("readers", "message.liked", "--contracts", CONTRACTS)], ids=["much", "little"]
)
def test_what_is_full_is_standard_output(words):
    with Path("/dev/full").open("w") as full:
        done = typed(*words, stdout=full)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "error: standard output: No space left on device"


def test_stopping_it_while_it_is_still_being_imported_is_no_trace():
    stopping = "import sys\nclass Stop:\n    def find_spec(*_):\n        raise KeyboardInterrupt\n"
    done = typed("lint", code=f"from contract_test.cli import main\n{stopping}sys.meta_path.insert(0, Stop)\nmain()")
    assert (done.returncode, done.stderr) == (3, "stopped\n")


def test_a_defect_is_reported_as_one_and_not_as_findings():
    code = """
import click
from contract_test.cli.running import run
raise SystemExit(run(click.Group("broken", callback=lambda: 1 / 0, invoke_without_command=True)))
"""
    done = typed(code=code)
    assert done.returncode == 4
    assert "ZeroDivisionError" in done.stderr
    assert "this is a bug in contract-test" in done.stderr
