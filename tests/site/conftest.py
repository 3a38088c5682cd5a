"""A contracts repository, its site, and a real browser."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import chromium
from filelock import FileLock
from site_pages import INTEGER, STRING, message

from contract_test.cli import main
from contract_test.data.result import FieldReads, Reader
from contract_test.files.catalog import load_catalog
from contract_test.files.reader_files import content_of, write_readers


@dataclass
class Contracts:
    """A contracts repository, and the command that makes its site."""

    root: Path
    run: object

    @property
    def folder(self):
        return self.root / "contracts"

    @property
    def site(self):
        return self.root / "site"

    def write(self, catalog, **subjects):
        """Write a catalog, and a list of schemas for each subject; `_` in a name stands for a dot."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "catalog.toml").write_text(catalog)
        for name, schemas in subjects.items():
            folder = self.folder / name.replace("_", ".")
            folder.mkdir(exist_ok=True)
            for number, schema in enumerate(schemas, start=1):
                (folder / f"v{number}.json").write_text(json.dumps(schema))

    def reads(self, service, subject, version, messages, **fields):
        """Note in how many messages a service read each field."""
        catalog = load_catalog(self.folder)
        contract = catalog.subjects[subject].contracts[version]
        found = tuple(FieldReads(f"/{name}", count) for name, count in fields.items())
        reader = Reader(service, subject, version, content_of(contract), messages, found)
        write_readers(self.folder / "readers", service, [reader], catalog)

    def git(self, *arguments, date="2026-03-01T12:00:00Z"):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        environment = os.environ | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, env=environment)

    def page(self, path):
        return (self.site / path).read_text()

    def files(self):
        """Every file of the site, with its content."""
        return {
            path.relative_to(self.site).as_posix(): path.read_bytes() for path in self.site.rglob("*") if path.is_file()
        }


@pytest.fixture
def contracts(tmp_path, monkeypatch, capsys):
    """An empty contracts repository; `run(*options)` runs `contract-test site`, and returns its code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*options, output="site"):
        where = ("--output", output) if output else ()
        monkeypatch.setattr(sys, "argv", ["contract-test", "site", *where, *options])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return Contracts(tmp_path, run)


@pytest.fixture
def shop(contracts):
    """Three versions of one subject with two readers, one of which was replayed, and their owners."""
    contracts.write(
        """
[channels.orders]
protocol = "kafka"
address = "orders.v1"
codec = "json"
delivery = "at-least-once"
[subjects."order.placed"]
channel = "orders"
owner = "shop"
description = "Somebody bought something."
compatibility = "FULL"
sent_by = ["billing"]
received_by = ["mailer", "audit"]
[services.billing]
owner = "shop"
domain = "sales"
[services.mailer]
owner = "letters"
domain = "messages"
description = "Writes letters."
links = { runbook = "https://wiki.acme.example/mailer" }
[owners.letters]
contacts = { slack = "#letters", mail = "mailto:letters@acme.example" }
[owners.shop]
""",
        order_placed=[
            message(["id", "name"], id=STRING, name={**STRING, "description": "Who bought it."}),
            message(["id", "name"], id=STRING, name=STRING, note=STRING),
            message(["id"], id=INTEGER, note=STRING),
        ],
    )
    contracts.reads("mailer", "order.placed", 1, 4, id=4, name=3)
    return contracts


@pytest.fixture(scope="session")
def browser():
    """A real Chromium without a window."""
    driver = chromium()
    if driver is None:
        missing = "NOT RUN in a browser: there is none here (Debian: apt-get install chromium chromium-driver)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def axe():
    """The script of an accessibility checker."""
    if shutil.which("npm") is None:
        missing = "NOT RUN: no npm, which brings the accessibility checker (Debian: apt-get install npm)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    sources = sorted((Path(__file__).parent / "axe").glob("package*.json"))
    folder = Path(__file__).parents[2] / ".cache" / "axe"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    with FileLock(folder.with_suffix(".lock")):
        stamp = "".join(path.read_text() for path in sources)
        built = folder / "built"
        if not script.is_file() or not built.is_file() or built.read_text() != stamp:
            for path in sources:
                shutil.copy2(path, folder)
            options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            subprocess.run(["npm", "ci", *options], cwd=folder, check=True, timeout=240)
            built.write_text(stamp)
    return script.read_text()


@pytest.fixture
def report(tmp_path):
    """The report of a run that broke /name in one of four messages, and no test noticed."""
    messages = {
        origin: {"passed": 4 if origin == "recorded" else 0, "failed": 0, "skipped": 0}
        for origin in ("recorded", "variation", "generated", "delivery", "cause")
    }
    survivors = [{"item": f"t[{number}]", "pointer": "/name", "change": "gone"} for number in range(4)]
    operation = {
        "subject": "order.placed", "version": 1, "operation": "consumes", "sent_by": [], "received_by": [],
        "messages": messages, "sent": [], "unwatched": False, "failed": [],
        "strength": {"noticed": 3, "total": 4, "survivors": survivors},
    }  # fmt: skip
    coverage = {"subject": "order.placed", "version": 1, "facts": [], "share": 0.5, "recorded_share": 0.5}
    path = tmp_path / "result.json"
    path.write_text(json.dumps({
        "format": 2, "service": "mailer", "service_version": "mmm", "dirty": False,
        "contracts": {"digest": "", "pinned": []}, "operations": [operation], "coverage": [coverage],
        "readers": [], "problems": [], "notes": [], "partial": "",
    }))  # fmt: skip
    return path
