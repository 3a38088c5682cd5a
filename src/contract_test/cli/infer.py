"""`contract-test infer`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from contract_test.cli.progress import until_interrupted, with_rates
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.cli.source_options import SourceOptions, nothing_read, source_options
from contract_test.data.contract import Catalog, Channel
from contract_test.data.errors import CatalogError, NothingFoundError, RecordingError
from contract_test.data.finding import Report
from contract_test.data.texts import counted, inert
from contract_test.files.additions import schema_text
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recording_file
from contract_test.infer import DeclaredFields, has_value_at
from contract_test.infer.inference import Inferred, propose, write
from contract_test.infer.traffic import Traffic, of_type, read_interactions, read_traffic
from contract_test.report.formats.text import as_text
from contract_test.transports.taps import keeps_times, scheme_of, tap

_SUBJECT = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
DEFAULT_LIMIT = 10_000


@click.command("infer")
@source_options
@contracts_option
@click.option("--subject", required=True, help="The name of the message type, such as order.placed.")
@click.option("--type", "kind", metavar="NAME", help="Read only messages with this type on the wire.")
@click.option(
    "--enum", "enums", multiple=True, metavar="POINTER", help="This field is an enum, such as /status or /items/*/unit."
)
@click.option(
    "--map", "maps", multiple=True, metavar="POINTER", help="This object is a map, such as /likes: its names are data."
)
@click.option("--sent-by", multiple=True, metavar="SERVICE", help="Add this service as a sender to the catalog.")
@click.option("--received-by", multiple=True, metavar="SERVICE", help="Add this service as a receiver to the catalog.")
@click.option(
    "--write", "writing", is_flag=True, help="Write the schema and its catalog entries to the contracts directory."
)
def command(
    source: SourceOptions,
    contracts: Path,
    subject: str,
    kind: str | None,
    enums: tuple[str, ...],
    maps: tuple[str, ...],
    sent_by: tuple[str, ...],
    received_by: tuple[str, ...],
    *,
    writing: bool,
) -> int:
    """Propose a contract, or its next version, from traffic.

    URL is the same as for `record`, or a recording. If the channel is not in the catalog, --channel gives it a name,
    and the codec is detected unless you name one. Every message that was read is valid under the schema. The schema
    contains no text of a message except enum values. The exit code is 1 if the schema breaks an earlier version.
    """
    if not _SUBJECT.fullmatch(subject):
        raise click.BadParameter("lower-case words with dots between, such as order.placed", param_hint="--subject")
    catalog = _catalog(contracts)
    known = catalog.subjects.get(subject) if catalog else None
    channel, new = _channel(catalog, source, known.channel if known else None, subject)
    traffic = _traffic(source, catalog, channel, source.codec if new or channel is None else channel.codec)
    if channel is not None and new:
        channel = replace(channel, codec=traffic.codec)
    if not traffic.read and not traffic.unreadable:
        raise nothing_read(source, channel.address if channel else source.url, "nothing was inferred")
    seen, wire_type = of_type(traffic, subject, known, kind)
    for option, pointers in (("--enum", enums), ("--map", maps)):
        for pointer in pointers:
            if not any(has_value_at(each.data, pointer) for each in seen):
                raise click.BadParameter(f"No message has a value at {pointer!r}.", param_hint=option)
    inferred = propose(contracts, subject, seen, DeclaredFields(frozenset(enums), frozenset(maps)), wire_type)
    _print_notes(inferred, traffic)
    if inferred.known:
        note(f"{subject} v{inferred.version} already accepts every message. There is nothing to propose")
        return CLEAN
    if inferred.incompatible:
        click.echo(as_text(Report("infer", inferred.incompatible)), nl=False, err=True)
    if not writing:
        click.echo(schema_text(inferred.schema), nl=False)
    elif inferred.incompatible:
        note("nothing was written because of the findings above. Write this version by hand, or choose another subject")
    else:
        services = {"sent_by": sent_by, "received_by": received_by}
        for path in write(contracts, inferred, channel, new_channel=new, services=services):
            click.echo(f"wrote {path}")
        note(
            f"next: review it, then `contract-test lint`, `contract-test generate`, `contract-test register {subject}`"
        )
    return FINDINGS if inferred.incompatible else CLEAN


def _catalog(contracts: Path) -> Catalog | None:
    try:
        return load_catalog(contracts)
    except NothingFoundError:
        return None


def _channel(
    catalog: Catalog | None, source: SourceOptions, own: Channel | None, subject: str
) -> tuple[Channel | None, bool]:
    """Return the channel, and True if the catalog lacks it. For a file without a channel, the channel is None."""
    channels = catalog.channels if catalog else {}
    name, address = source.channel, source.topic or source.key
    if address is None:
        if name is not None and name not in channels:
            advice = f"Known: {', '.join(channels) or 'none'}. For a new one add --key KEY or --topic TOPIC."
            raise CatalogError(f"no channel {name!r}", place="catalog.toml", advice=advice)
        return (own if name is None else channels[name]), False
    for each in channels.values():
        if (each.protocol, each.address) == (source.protocol, address):
            return each, False
    name = name or re.split(r"[^A-Za-z0-9_-]+", address.strip(":./"))[-1] or subject
    if name in channels:
        advice = "Choose another name with --channel NAME."
        raise CatalogError(f"channel {name!r} has another address", place="catalog.toml", advice=advice)
    return Channel(name, source.protocol, address, source.codec or "json"), True


def _traffic(source: SourceOptions, catalog: Catalog | None, channel: Channel | None, codec: str | None) -> Traffic:
    reading = source.reading
    reading.limit = reading.limit or DEFAULT_LIMIT
    if scheme_of(source.url) is not None and channel is None:
        raise click.UsageError("Choose the list or topic with --channel NAME, --key KEY or --topic TOPIC.")
    place = channel or Channel(source.url, "redis-list", source.url, codec or "json")
    if isinstance(reading.since, datetime) and not keeps_times(source.url, place):
        raise click.UsageError("Lists and files do not store when a message arrived. Leave out --since.")
    if scheme_of(source.url) is None and source.url != "-":
        try:
            return read_interactions(read_recording_file(Path(source.url))[: reading.limit], catalog)
        except RecordingError:  # no recording: lines of any JSON, or no file at all
            pass
    messages = with_rates(until_interrupted(tap(source.url, place, reading)), lambda: "", reading.limit)
    traffic = read_traffic((each for each in messages if each is not None), codec, place.type)
    for line in reading.notes:
        note(line)
    return traffic


def _print_notes(inferred: Inferred, traffic: Traffic) -> None:
    """Print what users should know before they publish a proposal."""
    parts = [f"{counted(inferred.used, 'message')} in codec {traffic.codec}"]
    if inferred.older:
        parts.append(f"{inferred.older} of earlier versions left out")
    parts += [f"{count} unreadable ({reason})" for reason, count in traffic.unreadable.most_common(3)]
    note(inert(f"{inferred.subject} v{inferred.version}: {'; '.join(parts)}"))
    if traffic.codec == "json" and traffic.looks_like_jobs:
        note("  these look like Resque jobs. The codec resque reads only jobs with one argument: each job is read")
    for pointer, sentence in inferred.remarks:
        note(inert(f"  {pointer or '/'}: {sentence}"))
