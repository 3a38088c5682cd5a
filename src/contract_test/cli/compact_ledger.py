"""`contract-test compact-ledger`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options, opened
from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.data.durations import parse_duration
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import now
from contract_test.gate.compaction import old_entries


def _age(ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    del ctx, param
    age = parse_duration(value)
    if age is None:
        raise click.BadParameter(f"{value!r} is not a time such as 90d or 12h.")
    return age


@click.command("compact-ledger")
@click.option(
    "--older-than",
    callback=_age,
    default="90d",
    show_default=True,
    metavar="AGE",
    help="Keep what is younger: 90d, 12h.",
)
@contracts_option
@ledger_options(writes=True)
def command(older_than: timedelta, contracts: Path, place: Path | None, ledger_branch: str, *, push: bool) -> int:
    """Remove old entries from the ledger, in a commit of its own.

    A version that is deployed, or whose messages may be in flight, keeps its entries. So does every version that was
    ever deployed, if it sends on a channel without retention.
    """
    ledger = opened(place, contracts, ledger_branch, push=push)
    gone = old_entries(ledger, load_catalog(contracts), now(), older_than)
    if gone:
        ledger.remove(gone, f"Remove {counted(len(gone), 'old entry').replace('entrys', 'entries')}")
    note(f"{len(gone)} old entries removed from {ledger.place}")
    return CLEAN
