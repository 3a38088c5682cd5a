"""`contract-test compact-ledger`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from contract_test.cli.ledger_options import kafka_option, kept_by_broker, ledger_options
from contract_test.cli.running import CLEAN, note
from contract_test.data.durations import parse_duration
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import Ledger, now
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
@kafka_option
@ledger_options(writes=True)
def command(older_than: timedelta, kafka: str | None, contracts: Path, ledger: Ledger) -> int:
    """Remove old entries from the ledger, in a commit of its own.

    A version that is deployed, or whose messages may be in flight, keeps its entries. So does every version that was
    ever deployed, if it sends on a channel without retention.
    """
    kept = kept_by_broker(kafka, contracts)
    gone = old_entries(ledger, load_catalog(contracts, schemas_when_asked=True), now(), older_than, kept)
    if gone:
        ledger.remove(gone, f"Remove {counted(len(gone), 'old entry').replace('entrys', 'entries')}")
    note(f"{len(gone)} old entries removed from {ledger.place}")
    return CLEAN
