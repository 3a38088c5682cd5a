import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_test.cli import main

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def message(required=(), **properties):
    """A schema as contracts have it: an object with these properties."""
    return {"$schema": DRAFT, "type": "object", "properties": properties, "required": list(required)}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@dataclass
class Repo:
    """A contracts repository; `contracts` is below the current directory."""

    root: Path

    def catalog(self, text):
        (self.root / "contracts").mkdir(exist_ok=True)
        (self.root / "contracts" / "catalog.toml").write_text(text)

    def subject(self, name="thing.done", *, mode="BACKWARD", versions=()):
        """One subject on a channel with plain JSON, its versions counted from 1."""
        self.catalog(
            '[channels.things]\nprotocol = "kafka"\naddress = "things"\ncodec = "json"\n'
            f'[subjects."{name}"]\nchannel = "things"\ncompatibility = "{mode}"\n'
            'sent_by = ["web"]\nreceived_by = ["feed", "trending"]\n'
        )
        for number, schema in enumerate(versions, start=1):
            self.version(number, schema, name)

    def version(self, number, schema, name="thing.done"):
        self.file(f"{name}/v{number}.json", schema)

    def file(self, path, schema):
        target = self.root / "contracts" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(schema))

    def recording(self, version, *payloads, name="thing.done"):
        folder = self.root / "contracts" / name / "recordings"
        folder.mkdir(exist_ok=True)
        lines = [json.dumps({"format": 1, "channel": "things", "payload": payload}) for payload in payloads]
        (folder / f"v{version}.jsonl").write_text("\n".join(lines) + "\n")

    def git(self, *arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self):
        if not (self.root / ".git").exists():
            self.git("init", "--initial-branch=main")
        self.git("add", "-A")
        self.git("commit", "-m", "as it is")


@pytest.fixture
def repo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Repo(tmp_path)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def findings(self):
        """The findings, each with the verdict that it refers to."""
        document = json.loads(self.out)
        return [each | {"verdict": document["verdicts"].get(each.get("pair"))} for each in document["findings"]]


@pytest.fixture
def compat(monkeypatch, capsys):
    """`contract-test compat` as it is typed: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["contract-test", "compat", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        return Result(exit_.value.code or 0, out, err)

    return run
