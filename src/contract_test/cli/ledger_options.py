"""Options of the commands that read or write the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from contract_test.data.deployment import ServiceVersion
from contract_test.files.ledger import Ledger, checked_name
from contract_test.files.ledger_branch import BRANCH, BranchLedger, open_ledger

F = TypeVar("F", bound=Callable[..., Any])

ledger_option = click.option(
    "--ledger",
    "place",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A git repository that has the ledger on a branch, or a plain directory.  [default: the repository of the "
    "contracts]",
)
branch_option = click.option(
    "--ledger-branch",
    "ledger_branch",
    default=BRANCH,
    show_default=True,
    metavar="NAME",
    help="The branch of the ledger.",
)
push_option = click.option(
    "--push", is_flag=True, help="Fetch, add the entry on top, and push; again, if somebody else was faster."
)
fetch_option = click.option("--fetch", is_flag=True, help="Fetch the branch of the ledger first.")
environment_option = click.option("--environment", required=True, metavar="ENV", help="The environment.")
version_option = click.option(
    "--service-version",
    "service_version_text",
    required=True,
    metavar="VERSION",
    help="A commit or tag of the service's repository.",
)


def ledger_options(writes: bool) -> Callable[[F], F]:  # noqa: FBT001 - which of two sets of options
    """Return the options that name the ledger, and what is done with its remote."""

    def decorated(function: F) -> F:
        return ledger_option(branch_option((push_option if writes else fetch_option)(function)))

    return decorated


def opened(place: Path | None, contracts: Path, branch: str, *, push: bool = False, fetch: bool = False) -> Ledger:
    """Return the ledger, fetched if that is asked for, or if it will be pushed."""
    ledger = open_ledger(place, contracts, branch, push=push)
    if (fetch or push) and isinstance(ledger, BranchLedger):
        ledger.fetch()
    return ledger


def service_version(service: str, version: str) -> ServiceVersion:
    """Return a service version whose names can be in a ledger. Raises CatalogError."""
    return ServiceVersion(checked_name("a service's name", service), checked_name("a version of a service", version))


def assumed_versions(values: tuple[str, ...]) -> list[ServiceVersion]:
    """Return the service versions of `SERVICE=VERSION`. Raises click.BadParameter."""
    found = []
    for value in values:
        service, equals, version = value.partition("=")
        if not (service and equals and version):
            raise click.BadParameter(f"{value!r} is not SERVICE=VERSION", param_hint="--assume")
        found.append(service_version(service, version))
    return found
