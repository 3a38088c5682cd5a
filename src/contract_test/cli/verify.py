"""`contract-test verify`."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from pathlib import Path

import click

from contract_test.cli.progress import until_interrupted, with_rates
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note, quiet_decoding, say
from contract_test.cli.source_options import SourceOptions, existing_or_empty, messages_of, nothing_read, source_options
from contract_test.data.contract import Catalog
from contract_test.data.drift import Drift
from contract_test.data.finding import Finding, Report
from contract_test.data.share import Share, combine
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.files.positions import with_positions
from contract_test.files.verification_files import SUFFIX, read_results, write_results
from contract_test.record.verification import Verifier
from contract_test.report.drift import drift_findings, never_seen_lines, seen_lines
from contract_test.report.formats import FORMATS
from contract_test.report.formats.text import as_text
from contract_test.transports.kafka_group import Member
from contract_test.transports.taps import bounded, scheme_of

_SAVE_EVERY = 2.0  # seconds


@click.command("verify")
@source_options
@contracts_option
@format_option
@click.option(
    "--group", metavar="NAME", help="Kafka: read the topic together with other members of this consumer group."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the result of this process to its own file in this folder.",
)
@click.option("--merge", is_flag=True, help="Add results up. URL is then a result file, or a folder of them.")
@click.argument("more", nargs=-1, metavar="[RESULTS]...", type=click.Path(path_type=Path, exists=True))
def command(
    source: SourceOptions,
    contracts: Path,
    form: str,
    group: str | None,
    results: Path | None,
    more: tuple[Path, ...],
    *,
    merge: bool,
) -> int:
    """Check the traffic on a channel against its contracts.

    URL is redis://HOST:PORT/DB, kafka://HOST:PORT, amqp://HOST:PORT/VHOST, a file of JSON Lines, or - for stdin.
    Nothing is changed there; only --group commits what was read. Exits 1 on drift: a message that no contract
    accepts, or an undeclared field.
    """
    quiet_decoding()
    if merge:
        return _report(list(read_results([Path(source.url), *more])), load_catalog(contracts), form, "results")
    if more:
        raise click.UsageError("Name one URL. To add up several result files, use --merge.")
    if group is not None and (scheme_of(source.url) != "kafka" or results is None or source.reading.since is not None):
        raise click.UsageError("--group needs a kafka:// URL and --results DIR, and cannot be used with --since.")
    catalog = existing_or_empty(contracts, source)
    channel = source.channel_of(catalog)
    verifier, reading = Verifier(catalog, channel), source.reading
    path = None if results is None else results / f"{uuid.uuid4().hex}{SUFFIX}"

    def write(shares: list[Share]) -> None:
        if path is not None:
            write_results(path, shares)

    member = None if group is None else Member(source.url, channel.address, group, reading)
    commit = None if member is None else member.commit
    if member is not None:

        def release() -> None:
            verifier.save(write, commit)
            verifier.release()

        member.release = release
    messages = bounded(member.messages(), reading) if member else messages_of(source, channel, verifier.time_of)
    saved = time.monotonic()
    with closing(messages):
        for message in with_rates(until_interrupted(messages), lambda: f"{verifier.drifted} drifted", reading.limit):
            if message is not None:
                verifier.take(message)
            if path is not None and time.monotonic() - saved > _SAVE_EVERY:
                verifier.save(write, commit)
                saved = time.monotonic()
    verifier.save(write, commit)
    for line in reading.notes:
        note(line)
    if path is not None:
        note(f"result in {path}")
    if verifier.read == 0 and member is None:
        raise nothing_read(source, channel.address, "nothing was verified")
    return _report(verifier.shares(), catalog, form, f"channel {channel.name}")


def _report(shares: list[Share], catalog: Catalog, form: str, place: str) -> int:
    found = combine(shares)
    by_channel = {channel: drift_findings(drift, catalog, place) for channel, drift in found.items()}
    findings = [each for of_channel in by_channel.values() for each in of_channel]
    if form == "text":
        for channel, drift in found.items():
            _print_channel(channel, drift, by_channel[channel], catalog)
    else:
        click.echo(FORMATS[form](Report("verify", with_positions(findings))), nl=False)
    errors = sum(each.severity == "error" for each in findings)
    read = sum(drift.read for drift in found.values())
    note(f"{counted(read, 'message')} verified, {counted(errors, 'finding')}")
    return FINDINGS if errors else CLEAN


def _print_channel(channel: str, drift: Drift, findings: list[Finding], catalog: Catalog) -> None:
    """Print what deviates first, then what was seen, and then what was not."""
    empty = f", {drift.without_data} without data" if drift.without_data else ""
    say(f"channel {channel}: {drift.read} read, {drift.drifted} drifted{empty}")
    click.echo(as_text(Report("verify", [each for each in findings if each.severity == "error"])), nl=False)
    for line in seen_lines(drift):
        say(f"  {line}")
    for line in never_seen_lines(drift, catalog):
        say(line)
