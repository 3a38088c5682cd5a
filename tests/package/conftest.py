import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_test.cli import main

CATALOG = """\
[channels.orders]
protocol = "redis-list"
address = "orders"
codec = "json"

[subjects."order.placed"]
channel = "orders"
compatibility = "{mode}"
sent_by = ["shop"]
received_by = ["billing"]
"""
STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def schema(required=("id",), **properties):
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": list(required),
        "properties": {"id": STRING, **properties},
    }


@dataclass
class Contracts:
    """A contracts repository in git, which is the current directory; `package` is `acme_envelopes`."""

    root: Path

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    def catalog(self, mode="BACKWARD", more=""):
        self.write("contracts/catalog.toml", CATALOG.format(mode=mode) + more)

    def version(self, number, content, subject="order.placed"):
        """Write one version, and register it."""
        self.write(f"contracts/{subject}/v{number}.json", content)
        assert self.run("register").code == 0

    def record(self, *ids, version=1):
        lines = [json.dumps({"format": 1, "channel": "orders", "payload": {"id": each}}) for each in ids]
        self.write(f"contracts/order.placed/recordings/v{version}.jsonl", "\n".join(lines) + "\n")

    def git(self, *arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *map(str, arguments)], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "--allow-empty", "-m", "as it is")

    def run(self, *arguments):
        return self._run(list(map(str, arguments)))


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def contracts(tmp_path, monkeypatch, capsys):
    """One subject with one registered version and a recording, committed."""
    root = tmp_path / "acme"
    root.mkdir()
    monkeypatch.chdir(root)

    def run(arguments):
        monkeypatch.setattr(sys, "argv", ["contract-test", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        return Result(done.value.code, *capsys.readouterr())

    made = Contracts(root)
    made._run = run
    made.git("init", "--initial-branch=main")
    made.write("pyproject.toml", '[project]\nname = "acme-envelopes"\nreadme = "README.md"\ndependencies = []\n\n'
               '[tool.contract-test]\npackage = "acme_envelopes"\n')  # fmt: skip
    made.write("README.md", "# Contracts of Acme\n")
    made.write(".gitignore", "/dist/\n")
    made.catalog()
    made.version(1, schema())
    made.record("o-1")
    made.commit()
    return made
