"""A service's repository as a test needs it: a copy, contracts that grow beside it, and the package made of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from record.runs import run

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

HERE = Path(__file__).parent


class ServiceRepository:
    """A copy of a service's repository in a folder, which also gets `contracts` and the package of them."""

    def __init__(self, folder: Path, name: str, package: str, **variables: str) -> None:
        self.root, self.contracts = folder / name, folder / "contracts"
        self._site, self._package = folder / "site", package
        shutil.copytree(HERE / name, self.root, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        self.contracts.mkdir()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CI"))}
        paths = f"{self._site}{os.pathsep}{self.root / 'src'}"
        self._environment = inherited | variables | {"PYTHONPATH": paths}

    def contract_test(self, *words: object) -> str:
        """Run a command on the contracts, and return what it printed."""
        code, printed = run(*words, "--contracts", self.contracts)
        assert code == 0, printed
        return printed

    def publish(self) -> None:
        """Generate the package from the contracts, with these inside, as a wheel would install it."""
        generate(load_catalog(self.contracts), self._package, self._site)
        shutil.copytree(self.contracts, self._site / self._package / "contracts")

    def python(self, *words: str) -> tuple[int, str]:
        """Run Python in the repository; return its exit code, and what it printed."""
        done = subprocess.run(
            [sys.executable, *words], cwd=self.root, env=self._environment, capture_output=True, text=True, timeout=250,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def replay(self, *options: str) -> tuple[int, str]:
        """Run the service's own contract tests; return the exit code, and what was printed."""
        return self.python("-m", "pytest", "--contracts", "-p", "no:cacheprovider", "-p", "no:xdist", *options)

    def break_code(self, file: str, old: str, new: str) -> None:
        """Put a fault into the service."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} changed: take another fault"
        path.write_text(text.replace(old, new))
