"""`contract-test record`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import runtime_catalog
from contract_test.files.scrub_key import scrub_key
from contract_test.transports.sources import tap
from contract_test.transports.urls import without_password
from contract_test.use_cases.record import Recorder


@click.command("record")
@click.argument("url")
@contracts_option
@click.option(
    "--channel", "name", required=True, help="The channel in the catalog: it says the key or topic, and the codec."
)
@click.option("--package", default="envelopes", show_default=True, help="The package with the value objects.")
@click.option(
    "--limit", type=click.IntRange(1), default=100_000, show_default=True, help="Read at most so many messages."
)
@click.option(
    "--per-shape", type=click.IntRange(1), default=3, show_default=True, help="Keep at most so many of one shape."
)
def command(url: str, contracts: Path, name: str, package: str, limit: int, per_shape: int) -> int:
    """Take samples of what stands on a channel now: redis://HOST:PORT/DB or kafka://HOST:PORT.

    Nothing is popped, committed or changed. Personal texts are replaced before anything reaches the disk; only messages
    that show something new are kept. Exits 1 where a message matches no contract.
    """
    catalog = load_catalog(contracts)
    channel = catalog.channels.get(name)
    if channel is None:
        known = ", ".join(catalog.channels) or "none"
        raise CatalogError(f"no channel {name!r}", place=str(contracts / "catalog.toml"), advice=f"Known: {known}.")
    key, said = scrub_key(contracts)
    note(said)
    recorder = Recorder(catalog, channel, runtime_catalog(package), key, per_shape)
    recorder.take_all(tap(url, channel, limit))
    result = recorder.write()
    if result.read == 0:
        raise NothingFoundError(
            "the channel is empty: nothing was recorded",
            place=f"{without_password(url)} {channel.address}",
            advice="Record while messages wait there.",
        )
    for path in result.written:
        click.echo(f"wrote {path}")
    for contract, count in sorted(result.kept.items()):
        click.echo(f"{contract}: {count} new")
    for reason, count in result.drift.most_common():
        click.echo(f"drift: {reason}: {count} messages match no contract")
    for place, count in result.unscrubbed.most_common():
        advice = "widen the pattern, or mark the field x-sensitivity: public"
        click.echo(f"not kept: {place}: {count} messages are no longer valid once scrubbed; {advice}")
    new = sum(result.kept.values())
    note(f"{result.read} read, {new} kept, {result.known} showed nothing new, {sum(result.drift.values())} drifted")
    return FINDINGS if result.drift or result.unscrubbed else CLEAN
