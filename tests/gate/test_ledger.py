"""The ledger on a branch: append-only, pushed by many at once, never torn, and compacted without losing what counts."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from contract_test.cli import main
from contract_test.data.deployment import Deployment
from contract_test.data.errors import CatalogError, RecordingError, UnreachableError
from contract_test.files.ledger import DirectoryLedger
from contract_test.files.ledger_branch import BRANCH, BranchLedger, open_ledger

from .world import NOW


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def remote(tmp_path):
    """A bare repository, as on a server."""
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    return tmp_path / "remote.git"


def clone(remote: Path, name: str) -> Path:
    git(remote.parent, "init", "-q", name)
    git(remote.parent / name, "remote", "add", "origin", str(remote))
    return remote.parent / name


def deployment(service: str, version: str, hours: float = 0) -> Deployment:
    return Deployment(service, version, "prod", NOW + timedelta(hours=hours))


def on_branch(folder: Path, *, push: bool = True) -> BranchLedger:
    ledger = open_ledger(folder, folder, push=push)
    assert isinstance(ledger, BranchLedger)
    return ledger


def versions(folder: Path) -> list[tuple[str, str]]:
    ledger = on_branch(folder)
    ledger.fetch()
    return sorted((each.service, each.version) for each in ledger.deployments("prod"))


def test_an_entry_is_one_small_file_named_by_its_content(remote):
    here = clone(remote, "here")
    ledger = on_branch(here)
    for _ in range(2):
        ledger.add({"deployments/test/mailer/x.json": b"{}\n"}, "twice")
    assert git(remote, "ls-tree", "-r", "--name-only", BRANCH) == "deployments/test/mailer/x.json\n"
    ledger.record(deployment("shop", "s1"))
    (path,) = [each for each in git(remote, "ls-tree", "-r", "--name-only", BRANCH).split() if "x.json" not in each]
    folder, _, name = path.rpartition("/")
    assert (folder, name[:23]) == ("deployments/prod/shop", "20261130T120000.000000Z")
    assert git(here, "status", "--porcelain") == "", "no file of the work tree was touched"


def test_two_that_push_at_once_keep_both_entries(remote):
    one, other = on_branch(clone(remote, "one")), on_branch(clone(remote, "other"))
    one.record(deployment("shop", "s1"))
    other.record(deployment("mailer", "m1"))
    one.record(deployment("shop", "s2", 1))
    assert versions(remote.parent / "other") == [("mailer", "m1"), ("shop", "s1"), ("shop", "s2")]


def test_what_was_recorded_without_push_is_pushed_with_the_next_entry(remote):
    here, other = clone(remote, "here"), clone(remote, "other")
    on_branch(here, push=False).record(deployment("shop", "s1"))
    on_branch(other).record(deployment("mailer", "m1"))
    assert versions(other) == [("mailer", "m1")]
    on_branch(here).record(deployment("shop", "s2", 1))
    assert versions(other) == [("mailer", "m1"), ("shop", "s1"), ("shop", "s2")]


def test_a_shallow_clone_pushes_and_reads(remote):
    for number in range(3):
        on_branch(clone(remote, f"c{number}")).record(deployment("shop", f"s{number}", number))
    git(remote.parent, "clone", "-q", "--depth=1", "--no-checkout", "--branch", BRANCH, f"file://{remote}", "shallow")
    on_branch(remote.parent / "shallow").record(deployment("shop", "s3", 5))
    assert [each for _, each in versions(remote.parent / "c0")] == ["s0", "s1", "s2", "s3"]
    assert git(remote, "rev-list", "--count", BRANCH).strip() == "5"


def test_a_compacted_entry_does_not_come_back_from_an_old_clone(remote):
    old, new = on_branch(clone(remote, "old")), on_branch(clone(remote, "new"))
    old.record(deployment("shop", "s1"))
    new.fetch()
    new.remove(new.paths("deployments"), "Compact")
    old.record(deployment("mailer", "m1"))
    assert git(remote, "ls-tree", "-r", "--name-only", BRANCH).count("\n") == 1


def test_a_remote_that_refuses_is_told_at_once(remote):
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(UnreachableError, match="a token that may write to this branch"):
        on_branch(clone(remote, "here")).record(deployment("shop", "s1"))


@pytest.mark.parametrize("name", ["", "-x", "../up", "a\nb", "a:b", "*"])
def test_a_name_that_could_be_an_option_or_a_path_is_refused(tmp_path, name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["contract-test", "record-deployment", "--ledger", str(tmp_path / "l"),
                                      "--environment", "prod", "--service-version", "1", "--", name])  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2


def test_an_entry_that_somebody_edited_is_refused_with_its_place(tmp_path):
    ledger = DirectoryLedger(tmp_path)
    ledger.record(deployment("shop", "s1"))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 9}))
    with pytest.raises(RecordingError, match="not an entry of a ledger"):
        ledger.deployments()


def test_without_a_repository_somebody_has_to_name_a_place(tmp_path):
    with pytest.raises(CatalogError, match="--ledger PATH"):
        open_ledger(None, tmp_path)
    with pytest.raises(CatalogError, match="only a ledger on a branch can be pushed"):
        open_ledger(tmp_path / "plain", tmp_path, push=True)


PUSHER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from contract_test.data.deployment import Deployment
from contract_test.files.ledger_branch import open_ledger
folder, service, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ledger = open_ledger(folder, folder, push=True)
for number in range(count):
    print("begin", number, flush=True)
    ledger.record(Deployment(service, f"v{number}", "prod", datetime.now(UTC)))
    print("done", number, flush=True)
"""


def test_twenty_that_push_at_once_lose_and_tear_nothing_even_if_some_are_killed(remote):
    pushers, entries, killed = 20, 2, 6
    children = []
    for number in range(pushers):
        folder = clone(remote, f"clone-{number}")
        command = [sys.executable, "-c", PUSHER, str(folder), f"service-{number}", str(entries)]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True))
    chance = random.Random(7)
    for child in children[:killed]:
        child.stdout.readline()  # it has begun
        time.sleep(chance.uniform(0, 0.6))
        os.killpg(child.pid, signal.SIGKILL)
    outputs = [child.communicate(timeout=250)[0] for child in children]
    assert all(child.returncode == 0 for child in children[killed:])
    reader = on_branch(clone(remote, "reader"))
    reader.fetch()
    found = {(each.service, each.version) for each in reader.deployments("prod")}  # reads every entry: none is torn
    acknowledged = {
        (f"service-{number}", f"v{line.split()[1]}")
        for number, output in enumerate(outputs)
        for line in output.splitlines()
        if line.startswith("done")
    }
    assert len(acknowledged) >= (pushers - killed) * entries
    assert acknowledged <= found, "nothing is lost"
    assert len(found) <= pushers * entries
    assert "error" not in git(remote, "fsck", "--full"), "nothing is torn"
    assert len(git(remote, "rev-list", BRANCH).split()) == len(found) + 1
