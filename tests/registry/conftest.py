import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from brokers.registry_proxy import registry_proxy

from contract_test.cli import main

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def order(*optional, **keywords):
    """A schema of orders, with more fields from version to version."""
    properties = {"order_id": {"type": "string"}, **{name: {"type": "integer"} for name in optional}}
    return {"$schema": DRAFT, "title": "order.placed", "type": "object", "properties": properties,
            "required": ["order_id"], **keywords}  # fmt: skip


@dataclass
class Shop:
    """A contracts directory below the current one."""

    root: Path

    def subject(self, name, *versions, topic="orders", more=""):
        catalog = self.root / "catalog.toml"
        before = catalog.read_text() if catalog.exists() else "# The shop's contracts.\n"
        if topic and f"[channels.{topic}]" not in before:
            before += f'\n[channels.{topic}]\nprotocol = "kafka"\naddress = "{topic}"\ncodec = "confluent"\n'
        channel = f'channel = "{topic}"\n' if topic else ""
        catalog.write_text(f'{before}\n[subjects."{name}"]\n{channel}{more}')
        for number, schema in enumerate(versions, start=1):
            self.version(name, number, schema)

    def version(self, name, number, schema):
        path = self.root / name / f"v{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(schema))

    def texts(self):
        return {
            path.relative_to(self.root).as_posix(): path.read_text()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def schemas(self):
        return {
            path.relative_to(self.root).as_posix(): json.loads(path.read_text())
            for path in self.root.glob("*/v*.json")
        }  # fmt: skip


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contracts").mkdir()
    return Shop(tmp_path / "contracts")


@pytest.fixture
def type_in(monkeypatch, capsys):
    """Type a command of `contract-test`; returns its code, stdout and stderr."""

    def typed(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["contract-test", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=captured.out, err=captured.err)

    return typed


@pytest.fixture
def run(type_in, registry):
    """Type `contract-test registry COMMAND URL …` with the real registry."""
    return lambda command, *options: type_in("registry", command, registry.url, *options)


@pytest.fixture
def stand_in():
    """A registry that answers what the test says, and 404 otherwise."""
    with registry_proxy(None, "") as proxy:
        yield proxy
