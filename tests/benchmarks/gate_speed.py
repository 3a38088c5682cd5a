"""How long the gate takes: 50 services, 100 subjects, 5 versions in flight, and a ledger of 20,000 entries fetched shallow.

`python tests/benchmarks/gate_speed.py`. Each figure is of a process of its own, from its start to its end. "Cold" is with
an empty folder of proofs, and "warm" the same again. The service that is asked about sends and receives every subject.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from compare_speed import evolved, small
from table import Row, report

from contract_test.data.deployment import Deployment, Verification, VerifiedOperation
from contract_test.data.result import PinnedContract
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import DirectoryLedger
from contract_test.files.ledger_branch import BRANCH
from contract_test.files.lock import digest

SERVICES, SUBJECTS, VERSIONS, ENTRIES = 50, 100, 5, 20_000
SENDERS, RECEIVERS, PINNED_BEFORE = 5, 10, 2
HUB = "service0"
WARM = 2


def write_contracts(root, random):
    catalog = '[channels.all]\nprotocol = "kafka"\naddress = "all"\ncodec = "json"\nretention = "P30D"\n'
    for number in range(SUBJECTS):
        name = f"subject.number{number}"
        (root / name).mkdir(parents=True)
        schema = small(random)
        for version in range(1, VERSIONS + 1):
            (root / name / f"v{version}.json").write_text(json.dumps(schema))
            schema = evolved(schema, random)
        others = [f"service{each}" for each in range(1, SERVICES)]
        senders, receivers = ([HUB, *random.sample(others, count - 1)] for count in (SENDERS, RECEIVERS))
        catalog += f'[subjects."{name}"]\nchannel = "all"\ntype = "{name}"\n'
        catalog += f"sent_by = {json.dumps(senders)}\nreceived_by = {json.dumps(receivers)}\n"
    (root / "catalog.toml").write_text(catalog)


class Unsynced(DirectoryLedger):
    """Writes many entries in little time: it waits for no disk, and looks for no deployment before."""

    def __init__(self, root):
        super().__init__(root)
        self.root = root

    def deployments(self, *_):
        return []

    def add(self, entries, subject):
        for path, content in entries.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content)


def write_ledger(folder, catalog, now):
    """Half of the entries are deployments, half verifications. The last five versions of a service are in flight."""
    ledger = Unsynced(folder)
    digests = {each.name: digest(each) for each in catalog.contracts}
    releases = ENTRIES // 2 // SERVICES
    for service in (f"service{number}" for number in range(SERVICES)):
        sent, received = catalog.sent_by(service), catalog.received_by(service)
        for release in range(releases):
            newest = VERSIONS - min(releases - 1 - release, VERSIONS - 1)
            pinned = tuple(
                PinnedContract(each.name, version, digests[each.contracts[version].name], sends=each in sent, receives=each in received)
                for each in catalog.subjects.values()
                if each in sent or each in received
                for version in range(max(1, newest - PINNED_BEFORE + 1), newest + 1)
            )  # fmt: skip
            operations = tuple(VerifiedOperation(each.name, newest, "produces", 3, sent=(newest,)) for each in sent)
            operations += tuple(VerifiedOperation(each.name, newest, "consumes", 3) for each in received)
            age = timedelta(days=(releases - 1 - release) * 3 + 1)
            version = f"{service}-{release:04}".encode().hex().ljust(40, "0")
            ledger.publish(Verification(service, version, now - age, pinned, operations))
            if release < releases - 1 or service != HUB:
                ledger.record(Deployment(service, version, "production", now - age))
    return version


def git(folder, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command, folder, cache):
    """Seconds on the clock and of CPU, and what was answered; with byte code, as an installation has it."""
    names = {"CONTRACT_TEST_CACHE": str(cache), "PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode"),
             "PYTHONDONTWRITEBYTECODE": ""}  # fmt: skip
    start, before = time.perf_counter(), cpu()
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=os.environ | names)
    seconds = time.perf_counter() - start, cpu() - before
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return *seconds, done


def rows():
    """A fetch and an answer, cold and warm; then the other questions, warm."""
    with tempfile.TemporaryDirectory() as name:
        home, now = Path(name), datetime.now(UTC)
        write_contracts(home / "origin" / "contracts", Random(0))
        print("writing the ledger …", file=sys.stderr, flush=True)
        write_ledger(home / "entries", load_catalog(home / "origin" / "contracts"), now)
        origin = home / "origin"
        git(origin, "init", "--quiet", "--initial-branch=main")
        git(origin, "add", "-A")
        git(origin, "commit", "--quiet", "-m", "contracts")
        git(origin, "checkout", "--quiet", "--orphan", BRANCH)
        git(origin, "rm", "-rq", "--cached", ".")
        git(origin, "--work-tree", str(home / "entries"), "add", "-A")
        git(origin, "commit", "--quiet", "-m", "ledger")
        git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
        git(home, "clone", "--quiet", "--depth=1", "--branch=main", f"file://{origin}", "here")
        tool, version = str(Path(sys.executable).parent / "contract-test"), f"{HUB}-{ENTRIES // 2 // SERVICES - 1:04}"
        asked = ("--service-version", version.encode().hex().ljust(40, "0"), "--to-environment", "production")
        ask = [tool, "can-i-deploy", HUB, *asked]
        what = f"{SERVICES} services, {SUBJECTS} subjects, {VERSIONS} versions in flight, {ENTRIES:,} entries"
        clock, used, _ = timed([*ask, "--fetch"], home / "here", home / "unused")
        yield Row("gate", "with the first fetch", clock, "s", note=f"{used:.2f} s of CPU, no proofs")
        clock, used, done = timed(ask, home / "here", home / "cache")
        note = f"{done.stderr.partition(',')[0]}, answer {done.stdout.partition(':')[0]}; {used:.2f} s of CPU"
        yield Row("gate", f"can-i-deploy, cold: {what}", clock, "s", most=20, note=note)
        clock, used = min(timed(ask, home / "here", home / "cache")[:2] for _ in range(WARM))
        yield Row("gate", "the same, warm", clock, "s", most=2, note=f"{used:.2f} s of CPU")
        for words in (
            ("rollback-target", HUB, "--environment", "production"),
            ("deployments",),
            ("matrix", "subject.number0"),
        ):
            clock, used, done = timed([tool, *words], home / "here", home / "cache")
            yield Row(
                "gate", f"{words[0]}, warm", clock, "s", note=f"{used:.2f} s of CPU; {done.stdout.splitlines()[0][:30]}"
            )


if __name__ == "__main__":
    report(rows)
