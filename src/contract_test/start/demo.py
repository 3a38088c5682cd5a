"""The demo: the whole loop on embedded brokers, with the reference services as separate processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contract_test.data.errors import ContractTestError, UnreachableError
from contract_test.data.reading import Reading
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import installed_contracts
from contract_test.files.ledger import DirectoryLedger
from contract_test.record.recorder import Recorded, Recorder
from contract_test.site.facts import build_site
from contract_test.site.parts import Output, Sources
from contract_test.start.deployment_demo import deploy_in_order, show_deployments
from contract_test.transports.embedded import Server, given_redis, kafka_broker, redis_server
from contract_test.transports.processes import Child, free_port, running
from contract_test.transports.taps import tap
from envelopes import Wire, encode
from envelopes.messages import MessageLikedV1, MessageLikedV2, MessagePosted, MessageUnliked

Say = Callable[[str], None]
LIKES = 30
TIMEOUT_SECONDS = 30.0
_SERVICES = ("feed.__main__", "transport.__main__", "transport.gateway_stub")
_IMPORTED = (*_SERVICES, "hypothesis", "jinja2", "pygraphviz", "pytest")
"""What the demo needs, beyond the command line."""


@dataclass(frozen=True)
class DemoResult:
    """The results that the demo shows at the end."""

    recorded: int
    delivered: int
    green: bool
    red: bool
    """True if the breaking change was caught."""
    in_order: bool
    """True if a producer was kept back until its reader was deployed."""


def demo(say: Say, redis_url: str | None = None) -> DemoResult:
    """Run the loop once. Everything that was started has stopped when this returns. A site of the contracts stays.

    Without `redis_url`, a Redis is started. Raises UnreachableError if a broker or a service does not start, and
    ContractTestError without a checkout, or if the database at `redis_url` is not empty.
    """
    services = _services()
    environment = _environment(services)
    with ExitStack() as stack:
        say("1. Brokers")
        redis = stack.enter_context(redis_server() if redis_url is None else given_redis(redis_url))
        kafka = stack.enter_context(kafka_broker())
        say(f"   {redis.description} at {redis.address}")
        say(f"   {kafka.description} at {kafka.address}")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-test-demo-")))
        contracts = folder / "contracts"
        shutil.copytree(installed_contracts("envelopes"), contracts, ignore=shutil.ignore_patterns("recordings", ".*"))

        say("2. Services, as processes: feed (Kafka in, Redis out), transport (Redis in, HTTP out), a local gateway")
        feed = ["feed", "--kafka", kafka.address, "--redis", redis.address, "--store", str(folder / "feed.db")]
        _publish(kafka.address, list(_traffic()))
        command = [sys.executable, "-m", *feed]
        stack.enter_context(running(command, ready=_alive, seconds_to_start=20, environment=environment))
        _wait(lambda: _queued(redis.address) >= LIKES, "the feed's pushes on the queue")
        say(f"   published {LIKES} likes of 10 messages; feed asked for {_queued(redis.address)} pushes")

        say("3. Record: contract-test record, from the topic and from the queue, scrubbed")
        recorded = _record(contracts, kafka, redis)
        for contract, count in sorted(recorded.items()):
            say(f"   {contract}: {count} kept")
        delivered = _deliver(stack, redis.address, environment)
        say(f"   transport delivered {delivered} pushes to the gateway, each once")

        say("4. Replay: pytest --contracts, in each service's repo")
        green = True
        for service in ("feed", "transport"):
            report = folder / f"{service}.json"
            code, output = _replay(services / service, contracts, environment, f"--contracts-report={report}")
            green = green and code == 0
            for line in _table(output):
                say(f"   {line}")

        say("5. A breaking change: feed reads `lover` where the contract says `liker`")
        red, output = _broken(services / "feed", contracts, folder, environment)
        for line in _reason(output):
            say(f"   {line}")

        say("6. Deploy: can-i-deploy and rollback-target, from what was verified and what is in flight")
        reports = {service: folder / f"{service}.json" for service in ("feed", "transport")}
        deployments = deploy_in_order(folder, contracts, reports)
        show_deployments(deployments, say)

        say("7. Site: contract-test site, from the contracts, the ledger and the reports of the replay")
        say(f"   open {_write_site(services.parent / 'build' / 'contracts-site', folder, contracts, reports)}")
    return DemoResult(sum(recorded.values()), delivered, green, red, deployments.is_right)


def _write_site(output: Path, folder: Path, contracts: Path, reports: Mapping[str, Path]) -> Path:
    """Write the pages where they stay when the demo has ended, and return the first one."""
    ledger, results = DirectoryLedger(folder / "ledger"), tuple(reports.values())
    sources = Sources(contracts, datetime.now(UTC).date(), ledger, results, "envelopes")
    build_site(sources, Output(output, "Contracts of the demo"))
    return output / "index.html"


def _services() -> Path:
    for candidate in (Path.cwd(), *Path(__file__).resolve().parents):
        if (candidate / "services" / "feed" / "pyproject.toml").is_file():
            return candidate / "services"
    raise ContractTestError(
        "the reference services are not in this directory",
        place=str(Path.cwd()),
        advice="Run the demo in a checkout of contract-test.",
    )


def _environment(services: Path) -> dict[str, str]:
    """Return an environment in which the services' code can be imported, installed or not.

    Raises ContractTestError if a package that they need is not installed.
    """
    sources = [str(services / name / "src") for name in ("feed", "transport")]
    there = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sources, there] if there else sources)}
    attempt = subprocess.run(  # noqa: S603 - this interpreter, and names of ours
        [sys.executable, "-c", f"import {', '.join(_IMPORTED)}"],
        env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    if attempt.returncode:
        (*_, reason) = attempt.stderr.splitlines() or [f"exit code {attempt.returncode}"]
        raise ContractTestError(
            f"the reference services cannot be started: {reason}",
            place=str(services),
            advice="Install what they need, in this checkout: pip install '.[demo]'",
        )
    return environment


def _traffic() -> Iterator[Wire]:
    people = [
        ("p-ana001", "Ana", "es"),
        ("p-bo0002", "Bo", "sv"),
        ("p-chi003", "Chi", ""),
        ("p-dee004", "Dee", "en-GB"),
    ]
    who = [{"person_id": key, "name": name} | ({"locale": locale} if locale else {}) for key, name, locale in people]
    now = datetime.now(UTC).isoformat()
    for number in range(10):
        posted = {
            "message_id": f"m-{number:04d}",
            "group": {"group_id": "g-blue01", "name": "Blue team", "size": 4},
            "author": who[number % 4],
            "kind": ("text", "photo", "voice")[number % 3],
            "text": f"Message number {number}",
            "posted_at": now,
        }
        yield encode(MessagePosted.model_validate(posted), source="/web")
    for number in range(LIKES):
        liked = {
            "like_id": f"l-{number:06d}",
            "message_id": f"m-{number % 10:04d}",
            "group_id": "g-blue01",
            "liker": who[(number % 10 + 1 + number // 10) % 4],
            "author": who[number % 10 % 4],
            "liked_at": now,
        }
        if number % 2:
            yield encode(MessageLikedV1.model_validate(liked), source="/web")
        else:
            reaction = ("like", "love", "laugh", "wow")[number // 2 % 4]
            yield encode(MessageLikedV2.model_validate(liked | {"reaction": reaction}), source="/web")
        if number % 8 == 0:
            unliked = liked | {"unlike_id": f"u-{number:06d}", "unliked_at": datetime.now(UTC).isoformat()}
            yield encode(MessageUnliked.model_validate(unliked), source="/web")


def _publish(address: str, messages: list[Wire]) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": address})
    for message in messages:
        producer.produce("activity", bytes(message), message.key, headers=list(message.headers))
    if producer.flush(TIMEOUT_SECONDS):
        raise UnreachableError("Kafka did not accept the messages", place=address, advice="Run the demo again.")


def _queued(url: str) -> int:
    from redis import Redis

    with Redis.from_url(url) as client:
        return int(client.llen("resque:queue:transport"))


def _record(contracts: Path, kafka: Server, redis: Server) -> dict[str, int]:
    catalog = load_catalog(contracts)
    counts: dict[str, int] = {}
    for name, url in (("activity", f"kafka://{kafka.address}"), ("transport", redis.address)):
        channel = catalog.channels[name]
        recorder = Recorder(catalog, channel, key=b"demo", per_shape=3)
        recorder.take_all(tap(url, channel, Reading(limit=10_000)))
        result: Recorded = recorder.write()
        counts |= result.kept
    return counts


def _deliver(stack: ExitStack, redis: str, environment: Mapping[str, str]) -> int:
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"

    def ledger() -> list[object]:
        try:
            with urllib.request.urlopen(f"{gateway}/ledger", timeout=5) as answer:  # noqa: S310 - our own address
                rows: list[object] = json.load(answer)
                return rows
        except urllib.error.URLError:
            return []

    def up(child: Child) -> bool:
        del child
        try:
            urllib.request.urlopen(f"{gateway}/ledger", timeout=5).close()  # noqa: S310 - our own address
        except urllib.error.URLError:
            return False
        return True

    stub = [sys.executable, "-m", "transport.gateway_stub", "--port", str(port)]
    worker = [sys.executable, "-m", "transport", "--redis", redis, "--gateway", gateway]
    stack.enter_context(running(stub, ready=up, seconds_to_start=20, environment=environment))
    stack.enter_context(running(worker, ready=_alive, seconds_to_start=20, environment=environment))
    _wait(lambda: len(ledger()) >= LIKES, "the deliveries")
    return len(ledger())


def _alive(child: Child) -> bool:
    return child.poll() is None


def _wait(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise UnreachableError(f"{what} did not arrive within {TIMEOUT_SECONDS:g} s", advice="Run the demo again.")
        time.sleep(0.05)


def _replay(service: Path, contracts: Path, environment: Mapping[str, str], *options: str) -> tuple[int, str]:
    # The other test modules of the services import packages that only their developers have.
    command = [sys.executable, "-m", "pytest", "tests/test_contracts.py", "--contracts", f"--contracts-dir={contracts}"]
    done = subprocess.run(  # noqa: S603 - this interpreter and our own service
        [*command, "-q", "--no-header", "-p", "no:cacheprovider", "--contracts-only-recorded", *options],
        cwd=service, env={**environment, "NO_COLOR": "1"}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout or done.stderr


def _broken(service: Path, contracts: Path, folder: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
    copy = folder / service.name
    shutil.copytree(service, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copy / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\bmessage\.liker\b", "message.lover", text), encoding="utf-8")
    broken = {**environment, "PYTHONPATH": f"{copy / 'src'}{os.pathsep}{environment['PYTHONPATH']}"}
    code, output = _replay(copy, contracts, broken)
    return code != 0, output


def _table(output: str) -> list[str]:
    lines = output.splitlines()
    start = next((number for number, line in enumerate(lines) if "contracts of" in line), len(lines))
    return [line for line in lines[start:] if line.strip() and not line.startswith("FAILED")]


def _reason(output: str) -> list[str]:
    """Return the explanation of the first failure, and the table."""
    lines = output.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("contract ")), 0)
    end = next((number for number in range(start, len(lines)) if lines[number].startswith("___")), start + 6)
    error = next((line for line in lines if line.startswith("E ")), "")
    return [error, *lines[start : min(end, start + 6)], *_table(output)]
