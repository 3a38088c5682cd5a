"""A team on disk: a bare contracts repository with a clone, the services shop and mailer, and what they are pinned to."""

import json
import os
import subprocess
import sys
from pathlib import Path

from contract_test.files.catalog import load_catalog
from contract_test.files.ledger_branch import BRANCH
from contract_test.generate.package import generate

CATALOG = """\
[channels.orders]
protocol = "redis-list"
address = "orders"
codec = "cloudevents"
retention = "P7D"

[subjects."order.placed"]
channel = "orders"
id = "/order_id"
sent_by = ["shop"]
received_by = ["mailer"]
"""
IDENTITY = {f"GIT_{who}_{what}": "kim@acme.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def order(version: int) -> dict:
    total = {1: {"type": "integer"}, 2: {"type": "string"}}[version]
    properties = {"order_id": {"type": "string"}, "total": total}
    return {"type": "object", "required": ["order_id"], "properties": properties}


def recorded(version: int) -> str:
    data = {"order_id": "o-1", "total": 3 if version == 1 else "3"}
    schema = f"urn:contract:order.placed:v{version}"
    event = {"specversion": "1.0", "id": "o-1", "source": "/shop", "type": "order.placed", "dataschema": schema}
    row = {
        "channel": "orders",
        "format": 1,
        "subject": "order.placed",
        "version": version,
        "payload": event | {"data": data},
    }
    return json.dumps(row) + "\n"


SHOP = """
import pytest
from shop import place

@pytest.mark.produces("order.placed")
def test_an_order_is_placed(recorded, emits):
    emits(place(recorded.order_id, recorded.total))
"""
MAILER = """
import pytest
from mailer import mail

@pytest.mark.consumes("order.placed")
def test_a_mail_is_sent(message):
    assert mail(message)
"""
CODE = {
    "shop": "from acme_envelopes.messages import OrderPlaced\n\ndef place(order_id, total):\n"
    "    return OrderPlaced(order_id=order_id, total=total)\n",
    "mailer": "def mail(order):\n    return f'{order.order_id}: {order.total}'\n",
}


class Team:
    """`home` holds acme.git, its clone acme, the services, and the packages pinned1 (v1) and pinned2 (v1 and v2)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.git(home, "init", "-q", "--bare", "--initial-branch=main", "acme.git")
        self.git(home, "clone", "-q", "acme.git", "acme")
        for pinned, recordings in ((1, 1), (2, 2)):
            folder = home / f"pinned{pinned}"
            self.write_contracts(folder / "contracts", pinned, recordings)
            generate(load_catalog(folder / "contracts"), "acme_envelopes", folder)
        for pinned in (1, 2):
            self.write_contracts(home / "acme" / "contracts", pinned, pinned)
            self.git(home / "acme", "add", "-A")
            self.git(home / "acme", "commit", "-qm", f"order.placed v{pinned}")
        self.git(home / "acme", "push", "-q", "origin", "HEAD:main")
        for service, tests in (("shop", SHOP), ("mailer", MAILER)):
            folder = home / service
            folder.mkdir()
            (folder / f"{service}.py").write_text(CODE[service])
            (folder / f"test_{service}.py").write_text(tests)
            (folder / ".gitignore").write_text("result.json\n__pycache__\n.contracts\ndeploy\n")
            self.git(folder, "init", "-q", "--initial-branch=main")
            self.commit(service, 1, f"{service[0]}1")

    @staticmethod
    def write_contracts(folder: Path, newest: int, recordings: int) -> None:
        (folder / "order.placed" / "recordings").mkdir(parents=True, exist_ok=True)
        (folder / "catalog.toml").write_text(CATALOG)
        for version in range(1, newest + 1):
            (folder / "order.placed" / f"v{version}.json").write_text(json.dumps(order(version)))
        (folder / "order.placed" / "recordings" / f"v{recordings}.jsonl").write_text(recorded(recordings))

    def commit(self, service: str, pinned: int, tag: str) -> str:
        """Pin the service to a package, commit that and tag it; return the commit."""
        folder = self.home / service
        (folder / "pyproject.toml").write_text(
            f'[tool.contract-test]\nservice = "{service}"\npackage = "acme_envelopes"\n'
            f'contracts = "../pinned{pinned}/contracts"\n\n[tool.pytest.ini_options]\n'
            f'pythonpath = [".", "../pinned{pinned}"]\n'
        )
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-qm", tag)
        self.git(folder, "tag", tag)
        return self.git(folder, "rev-parse", "HEAD").strip()

    def verify(self, service: str, version: str) -> None:
        """Run the tests of what is checked out, and publish the result."""
        here = self.home / service
        self.run(here, "pytest -q --contracts --contracts-report result.json -p no:cacheprovider")
        self.run(
            here, f"contract-test publish-verification result.json --service-version {version} {self.ledger} --push"
        )

    def deploy(self, service: str, version: str) -> None:
        command = f"contract-test record-deployment {service} --service-version {version} --environment production"
        self.run(self.home / service, f"{command} {self.ledger} --push")

    @property
    def ledger(self) -> str:
        return "--contracts ../acme/contracts"

    @property
    def environment(self) -> dict[str, str]:
        home, path = str(self.home), f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        return {**IDENTITY, "HOME": home, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120",
                "CONTRACT_TEST_CACHE": str(self.home / "cache"), "GITHUB_ACTIONS": "", "CI": ""}  # fmt: skip

    def run(self, folder: Path, command: str, code: int = 0, **environment: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command], cwd=folder, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **self.environment, **environment},
        )  # fmt: skip
        assert done.returncode == code, f"$ {command}\n{done.stdout}"
        return done.stdout

    def git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=os.environ | IDENTITY, check=True, capture_output=True
        )
        return done.stdout.decode()

    def entries(self) -> list[str]:
        """The entries on the branch of the bare repository."""
        return self.git(self.home / "acme.git", "ls-tree", "-r", "--name-only", BRANCH).split()
