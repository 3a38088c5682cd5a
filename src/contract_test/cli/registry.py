"""`contract-test registry`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, get_args

import click

from contract_test.cli.running import CLEAN, COULD_NOT_RUN, FINDINGS, contracts_option, note
from contract_test.data.texts import counted, inert
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.proof_cache import user_cache
from contract_test.registry.check import check
from contract_test.registry.client import Registry
from contract_test.registry.naming import Naming
from contract_test.registry.pull import Pull
from contract_test.registry.push import NewMode, Push
from contract_test.registry.result import RegistryResult
from contract_test.report.registry import RESULTS

MAX_SECONDS = 600


@click.group("registry")
def command() -> None:
    """Keep a schema registry a copy of the contracts.

    URL is the address of Confluent's API. For Apicurio Registry it ends with /apis/ccompat/v7. Credentials come from
    the environment: CONTRACT_TEST_REGISTRY_USER and _PASSWORD, or _TOKEN. For TLS, _CA, _CERTIFICATE and _KEY name
    files.
    """


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument URL and the options of all four, as one open `registry`."""

    @click.argument("url", metavar="URL")
    @contracts_option
    @click.option(
        "--naming",
        type=click.Choice(get_args(Naming)),
        default="topic",
        show_default=True,
        help="How subjects are named in the registry: orders-value, order.placed or orders-order.placed.",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0, MAX_SECONDS, min_open=True),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="How long one answer may take.",
    )
    @click.option("--format", "form", type=click.Choice(list(RESULTS)), default="text", show_default=True)
    @wraps(function)
    def with_registry(*, url: str, timeout: float, form: str, **others: Any) -> int:
        try:
            import httpx  # noqa: F401 - is it installed?
            import tomlkit  # noqa: F401 - is it installed?
        except ImportError:
            note("contract-test registry needs packages that are not installed: install contract-test[registry]")
            return COULD_NOT_RUN
        with Registry(url, os.environ, timeout) as registry:
            result: RegistryResult = function(registry=registry, **others)
        return _shown(result, others["contracts"], form)

    return with_registry


_subjects_argument = click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")


def _push_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--draft-07", is_flag=True, help="Register draft-07 forms that are proved equal."),
        click.option(
            "--set-mode",
            type=click.Choice(get_args(NewMode)),
            help="Set the mode of each subject: NONE before something is registered, or the catalog's after that.",
        ),
    ):
        function = option(function)
    return function


@command.command("plan")
@_options
@_subjects_argument
@_push_options
def plan(
    registry: Registry,
    contracts: Path,
    subjects: tuple[str, ...],
    naming: Naming,
    set_mode: NewMode | None,
    *,
    draft_07: bool,
) -> RegistryResult:
    """Show what push would register. Nothing is changed.

    The exit code is 1 if something is in the way.
    """
    return Push(registry, load_catalog(contracts), subjects, naming, draft_07=draft_07, new_mode=set_mode).plan()


@command.command("push")
@_options
@_subjects_argument
@_push_options
def push(
    registry: Registry,
    contracts: Path,
    subjects: tuple[str, ...],
    naming: Naming,
    set_mode: NewMode | None,
    *,
    draft_07: bool,
) -> RegistryResult:
    """Register the locked versions that the registry lacks, in their order.

    The ids are written to schema_ids in catalog.toml. Nothing is deleted, and no mode is changed without --set-mode. If
    it is stopped, run it again: it goes on where it stopped.
    """
    return Push(registry, load_catalog(contracts), subjects, naming, draft_07=draft_07, new_mode=set_mode).push()


@command.command("pull")
@_options
def pull(registry: Registry, contracts: Path, naming: Naming) -> RegistryResult:
    """Make a contracts directory of the registry's JSON schemas.

    Subjects of another kind, such as Avro, are listed and left. What is in the directory already is not changed.
    """
    return Pull(registry, contracts, naming).pull()


@command.command("check")
@_options
@_subjects_argument
def check_command(registry: Registry, contracts: Path, subjects: tuple[str, ...], naming: Naming) -> RegistryResult:
    """Show where the registry and git differ, and where its verdicts and the proof disagree.

    A difference is an error. A disagreement is a warning.
    """
    return check(registry, load_catalog(contracts), subjects, naming, user_cache())


def _shown(result: RegistryResult, contracts: Path, form: str) -> int:
    accepted = accepted_by(read_accepted(contracts), "registry")
    result = replace(result, findings=mark_accepted(result.findings, accepted, datetime.now(UTC).date()))
    click.echo(RESULTS[form](result), nl=False)
    for each in result.notes:
        note(inert(f"note: {each}"))
    errors = [each for each in result.findings if each.severity == "error"]
    note(f"{counted(len(result.steps), 'version')}, {counted(len(result.findings), 'finding')}")
    return FINDINGS if errors else CLEAN
