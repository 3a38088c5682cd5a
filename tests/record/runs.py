"""Runs of `contract-test`, here or as processes of their own, and the reference contracts to run them on."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

from contract_test.cli import main

CONTRACTS = Path(__file__).parents[2] / "contracts"
QUEUE = "resque:queue:transport"
KEY = {"CONTRACT_TEST_SCRUB_KEY": "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40"}
COMMAND = [sys.executable, "-c", "from contract_test.cli import main; main()"]


def copy_of_contracts(folder: Path) -> Path:
    copy = folder / "contracts"
    shutil.copytree(CONTRACTS, copy, ignore=shutil.ignore_patterns("recordings", ".*"))
    return copy


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **KEY, **options.pop("env", {})}, **options,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and everything that was printed."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output + errors


def run(*arguments: object) -> tuple[int, str]:
    """The exit code, and everything that was printed, by a run in this process: many times faster than one of its own."""
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["contract-test", *map(str, arguments)]),
        mock.patch.dict(os.environ, KEY),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), printed.getvalue()
    return 0, printed.getvalue()


def push(number: int = 1, **changes: object) -> dict[str, object]:
    data = {
        "delivery_id": f"d-{number:06d}",
        "kind": "push",
        "recipient": {"person_id": "p-ana001"},
        "text": "Bo Bergström likes your message",
        "enqueued_at": "2026-03-01T12:00:00Z",
        "caused_by": "l-5d21e0",
    }
    return {name: value for name, value in (data | changes).items() if value is not None}


def job(number: int = 1, **changes: object) -> str:
    return json.dumps({"class": "DeliveryRequested", "args": [push(number, **changes)]})


def like(number: int = 1, **changes: object) -> str:
    data = {
        "like_id": f"l-{number:06d}",
        "message_id": "m-7f3a9c",
        "group_id": "g-blue01",
        "liker": {"person_id": "p-bo0002", "name": "Bo Bergström"},
        "author": {"person_id": "p-ana001", "name": "Ana"},
        "liked_at": "2026-03-01T12:00:05Z",
    }
    event = {"specversion": "1.0", "id": f"l-{number:06d}", "source": "/web", "type": "message.liked"}
    event |= {"dataschema": "urn:contract:message.liked:v1", "datacontenttype": "application/json"}
    return json.dumps(event | {"data": data | changes})


def at_topic(contracts: Path, topic: str) -> None:
    """Have the channel `activity` be another topic."""
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace('address  = "activity"', f'address  = "{topic}"'))


def lines(contracts: Path, subject: str, version: int) -> list[dict]:
    path = contracts / subject / "recordings" / f"v{version}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
