"""`contract-test can-i-deploy`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import (
    assumed_versions,
    ledger_options,
    opened,
    service_version,
    version_option,
)
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.data.texts import counted
from contract_test.files.ledger import checked_name, now
from contract_test.gate.opening import open_gate
from contract_test.report.gate import ANSWERS

assume_option = click.option(
    "--assume",
    multiple=True,
    metavar="SERVICE=VERSION",
    help="Take this version for deployed, beside what is recorded. May be given several times.",
)
standing_option = click.option(
    "--standing",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="What stands on channels now: a result of `verify --results`, or a folder of them. May be given "
    "several times.",
)


@click.command("can-i-deploy")
@click.argument("service")
@version_option
@click.option("--to-environment", "environment", required=True, metavar="ENV", help="The environment.")
@standing_option
@assume_option
@contracts_option
@ledger_options(writes=False)
@click.option("--format", "form", type=click.Choice(list(ANSWERS)), default="text", show_default=True)
def command(
    service: str,
    service_version_text: str,
    environment: str,
    standing: tuple[Path, ...],
    assume: tuple[str, ...],
    contracts: Path,
    place: Path | None,
    ledger_branch: str,
    form: str,
    *,
    fetch: bool,
) -> int:
    """Decide whether a version of SERVICE may be deployed now.

    It must read every message that may be in flight, and every deployed reader must read what it sends. The answer is
    yes, no, yes after other deployments, or unknown. The exit code is 0 for yes, and 1 for every other answer.
    """
    candidate = service_version(service, service_version_text)
    ledger = opened(place, contracts, ledger_branch, fetch=fetch)
    found = open_gate(
        contracts,
        ledger,
        checked_name("an environment", environment),
        now(),
        assumed=assumed_versions(assume),
        standing=standing,
    )
    answer = found.gate.answer(candidate)
    click.echo(ANSWERS[form](answer), nl=False)
    note(f"{counted(len(answer.checks), 'check')}, {len(answer.blocking)} in the way, by {ledger.place}")
    return CLEAN if answer.status == "yes" else FINDINGS
