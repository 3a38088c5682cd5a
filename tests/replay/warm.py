"""Runs of pytest in a process that is forked from one which has imported everything: ten times cheaper than a new one.

Started as a program, it takes one run a line on stdin, as JSON, and answers with its exit code.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


class WarmPytest:
    """What runs pytest; its process starts with the first run, and ends with `end`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, folder: Path, *arguments: str) -> pytest.RunResult:
        """Like `pytester.runpytest_subprocess` there, with this process's environment."""
        order = {"folder": str(folder), "arguments": arguments, "environment": dict(os.environ)}
        try:
            if self._process is None:
                program = [sys.executable, __file__]
                self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with tempfile.TemporaryDirectory(prefix="contract-test-warm-") as said:
                print(json.dumps(order | {"said": said}), file=self._process.stdin, flush=True)
                code = int(self._process.stdout.readline())
                lines = [Path(said, each).read_text(encoding="utf-8").splitlines() for each in ("out", "err")]
        except BaseException:  # a time limit too: the next run must not get this one's answer
            self.end()
            raise
        print(*lines[0], sep="\n")
        print(*lines[1], sep="\n", file=sys.stderr)
        return pytest.RunResult(code, *lines, duration=0)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def serve() -> None:
    with tempfile.TemporaryDirectory() as empty:
        warm_up(empty)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            play(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def warm_up(folder: str) -> None:
    """Have pytest load its plugins, as in any run, and everything that a run with --contracts imports late."""
    with open(os.devnull, "w", encoding="utf-8") as sink:  # noqa: PTH123 - it is no file
        stdout, sys.stdout = sys.stdout, sink
        pytest.main(["--collect-only", "--rootdir", folder, folder])
        sys.stdout = stdout


def play(folder: str, arguments: list[str], environment: dict[str, str], said: str) -> None:
    """Be a new process that runs pytest."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = folder
    for number, name in enumerate(("out", "err"), start=1):
        os.dup2(os.open(Path(said, name), os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 99
    try:
        code = int(pytest.main(arguments))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
