"""Options of the commands that read or write the ledger: a command gets the ledger, or the gate, that they name."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from contract_test.cli.running import contracts_option, note
from contract_test.data.deployment import Deployment, ServiceVersion
from contract_test.data.errors import CatalogError, UnreachableError
from contract_test.files.ledger import checked_name, now
from contract_test.files.ledger_branch import BRANCH, BranchLedger, open_ledger

Command = Callable[..., Any]
MORE_TIME = 60

environment_option = click.option("--environment", required=True, metavar="ENV", help="The environment.")
version_option = click.option(
    "--service-version",
    "version",
    required=True,
    metavar="VERSION",
    help="A commit or tag of the service's repository.",
)
kafka_option = click.option(
    "--kafka", metavar="URL", help="Ask this broker how long its topics keep messages: kafka://HOST:PORT."
)


def ledger_options(*, writes: bool, optional: bool = False) -> Callable[[Command], Command]:
    """Give a command the options of the contracts and the ledger, as `contracts` and an open `ledger`.

    With `optional`, the ledger is None if none was named and the contracts are in no repository, or git is not there.
    """

    def decorated(command: Command) -> Command:
        @contracts_option
        @click.option(
            "--ledger",
            "place",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="A git repository that has the ledger on a branch, or a plain directory.  [default: the repository of "
            "the contracts]",
        )
        @click.option(
            "--ledger-branch", default=BRANCH, show_default=True, metavar="NAME", help="The branch of the ledger."
        )
        @click.option(
            "--push" if writes else "--fetch",
            "remotely",
            is_flag=True,
            help="Fetch, add the entry on top, and push; again, if somebody else was faster."
            if writes
            else "Fetch the branch of the ledger first.",
        )
        @wraps(command)
        def with_ledger(
            *, contracts: Path, place: Path | None, ledger_branch: str, remotely: bool, **others: Any
        ) -> Any:
            try:
                ledger = open_ledger(place, contracts, ledger_branch, push=writes and remotely)
            except (CatalogError, UnreachableError):
                if not optional or place is not None or remotely:
                    raise
                ledger = None
            if remotely and isinstance(ledger, BranchLedger):
                ledger.fetch()
            return command(contracts=contracts, ledger=ledger, **others)

        return with_ledger

    return decorated


def gate_options(command: Command) -> Command:
    """Give a command the options of an answer about `environment`, as an open `gate`, and the `ledger`."""

    @click.option(
        "--standing",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        metavar="PATH",
        help="What stands on channels now: a result of `verify --results`, or a folder of them. May be given "
        "several times.",
    )
    @click.option(
        "--assume",
        multiple=True,
        metavar="SERVICE=VERSION",
        callback=_service_versions,
        help="Take this version for deployed, beside what is recorded. May be given several times.",
    )
    @kafka_option
    @click.option(
        "--budget",
        type=click.FloatRange(0.1, 3600),
        default=2.0,
        show_default=True,
        metavar="SECONDS",
        help="Processor time for one comparison.",
    )
    @ledger_options(writes=False)
    @wraps(command)
    def with_gate(*, environment: str, kafka: str | None, contracts: Path, ledger: Any, **options: Any) -> Any:
        from contract_test.gate.opening import open_gate

        names = ("standing", "assume", "budget")
        standing, assumed, budget = (options.pop(name) for name in names)
        kept = kept_by_broker(kafka, contracts)
        again = shlex.join(["contract-test", *sys.argv[1:], "--budget", str(MORE_TIME)])
        place = checked_name("an environment", environment)
        gate = open_gate(
            contracts, ledger, place, now(), assumed=assumed, standing=standing, kept=kept, budget=budget, again=again
        )
        return command(gate=gate, ledger=ledger, **options)

    return with_gate


def kept_by_broker(url: str | None, contracts: Path) -> dict[str, timedelta | None]:
    """Return for how long a broker keeps the messages of the channels that it has; nothing without a URL."""
    if url is None:
        return {}
    from contract_test.files.catalog import load_catalog
    from contract_test.transports.kafka_retention import retention_of_topics

    channels = load_catalog(contracts, schemas_when_asked=True).channels.values()
    topics = {each.name: each.address for each in channels if each.protocol == "kafka"}
    found = retention_of_topics(url, set(topics.values()))
    for name, topic in topics.items():
        if topic not in found:
            note(f"the broker has no topic {topic}: the retention of {name} is taken from the catalog")
    return {name: found[topic] for name, topic in topics.items() if topic in found}


def service_version(service: str, version: str) -> ServiceVersion:
    """Return a service version whose names can be in a ledger. Raises CatalogError."""
    return ServiceVersion(checked_name("a service's name", service), checked_name("a version of a service", version))


def record(ledger: Any, entry: Deployment) -> None:
    """Add an entry, and say what was recorded."""
    recorded = ledger.record(entry)
    if recorded.time != entry.time:
        note(f"this clock is behind the newest entry: recorded at {recorded.time.isoformat()}")
    of = ServiceVersion(entry.service, entry.version) if entry.version else entry.service
    note(f"{of} {entry.state} in {entry.environment}, recorded in {ledger.place}")


def _service_versions(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[ServiceVersion]:
    """Return the service versions of `SERVICE=VERSION`. Raises click.BadParameter."""
    del ctx, param
    found = []
    for value in values:
        service, _, version = value.partition("=")
        if not (service and version):
            raise click.BadParameter(f"{value!r} is not SERVICE=VERSION")
        found.append(service_version(service, version))
    return found
