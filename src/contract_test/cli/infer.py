"""`contract-test infer`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from contract_test.cli.infer_options import field_options, option_pointers
from contract_test.cli.progress import until_interrupted, with_progress, with_rates
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note
from contract_test.cli.source_options import SourceOptions, nothing_read, source_options
from contract_test.data.contract import Catalog, Channel, Subject, snake_case, usable_subject
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.data.finding import Report
from contract_test.data.texts import counted, inert
from contract_test.files.additions import schema_text
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import is_recording, read_recording_file
from contract_test.infer import DeclaredFields, has_value_at
from contract_test.infer.inference import Inferred, propose, write
from contract_test.infer.summary import FORMAT, as_data, evidence_lines, needs_more
from contract_test.infer.traffic import Traffic, is_type_name, of_type, read_interactions, read_traffic
from contract_test.report.formats.text import as_text
from contract_test.schema.names import unused
from contract_test.transports.taps import keeps_times, scheme_of, tap

_CAMEL = re.compile("([a-z0-9])([A-Z])")
_SUBJECT = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")


@click.command("infer")
@source_options
@contracts_option
@click.option("--subject", help="The name of the message type, such as order.placed.  [required without --type-at]")
@click.option("--type", "kind", metavar="NAME", help="Read only messages with this type.")
@click.option(
    "--type-at",
    metavar="POINTER",
    help="The field with the type, if the codec has none, such as /event_name. Without --subject, one for each type.",
)
@field_options
@click.option("--sent-by", multiple=True, metavar="SERVICE", help="Add this service as a sender to the catalog.")
@click.option("--received-by", multiple=True, metavar="SERVICE", help="Add this service as a receiver to the catalog.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: what each rule rests on, too.",
)
@click.option(
    "--write", "writing", is_flag=True, help="Write the schema and its catalog entries to the contracts directory."
)
def command(
    source: SourceOptions,
    contracts: Path,
    declared: DeclaredFields,
    subject: str | None,
    kind: str | None,
    type_at: str | None,
    sent_by: tuple[str, ...],
    received_by: tuple[str, ...],
    form: str,
    *,
    writing: bool,
) -> int:
    """Propose a contract, or its next version, from traffic.

    URL is the same as for `record`, or a recording. If the channel is not in the catalog, --channel gives it a name,
    and the codec is detected unless you name one. Every message that was read is valid under the schema. The schema
    contains no text of a message except enum values and tags. What few messages show is no rule: it is listed with the
    option that makes it one. A POINTER is a JSON pointer, with * for any item. The exit code is 1 if the schema breaks
    an earlier version, or if a message stays invalid.
    """
    if subject is None and type_at is None:
        raise click.UsageError("Name the message type with --subject, or the field that has it with --type-at.")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise click.BadParameter("lower-case words with dots between, such as order.placed", param_hint="--subject")
    catalog = _catalog(contracts)
    known = catalog.subjects.get(subject) if catalog and subject else None
    channel, new = _channel(catalog, source, known.channel if known else None, subject or "messages")
    codec = source.codec if new or channel is None else channel.codec
    traffic = _traffic(source, catalog, channel, codec, type_at)
    if channel is not None and new:
        channel = replace(channel, codec=traffic.codec, type=type_at)
    if not traffic.read and not traffic.unreadable:
        raise nothing_read(source, channel.address if channel else source.url, "nothing was inferred")
    found = [
        _propose(contracts, name, traffic, known, wanted, declared)
        for name, wanted in _subjects(traffic, subject, kind, type_at)
    ]
    if form == "json":
        click.echo(json.dumps({"format": FORMAT, "proposals": [as_data(each, traffic) for each in found]}, indent=2))
    services = {"sent_by": sent_by, "received_by": received_by}
    for each in found:
        _print_notes(each, traffic)
        if each.known:
            note(_sentence_for_known(each))
            continue
        if each.incompatible:
            click.echo(as_text(Report("infer", each.incompatible)), nl=False, err=True)
        if not writing and form == "text":
            click.echo(schema_text(each.schema), nl=False)
        elif writing and each.incompatible:
            note(
                "nothing was written because of the findings above. Write this version by hand, or use another subject"
            )
        elif writing:
            for path in write(contracts, each, channel, new_channel=new, services=services):
                note(f"wrote {path}") if form == "json" else click.echo(f"wrote {path}")
            new = False
    if writing and any(not each.known and not each.incompatible for each in found):
        names = " ".join(each.subject for each in found)
        note(f"next: review it, then `contract-test lint`, `contract-test generate`, `contract-test register {names}`")
    return FINDINGS if any(each.incompatible or each.left_out for each in found) else CLEAN


def _subjects(
    traffic: Traffic, subject: str | None, kind: str | None, type_at: str | None
) -> list[tuple[str, str | None]]:
    """Return the subjects to propose, each with the type of its messages."""
    if subject is not None:
        return [(subject, kind)]
    types = [name for name in traffic.types if name is not None and kind in (None, name)]
    shown = [name for name in types if is_type_name(name)]
    if not shown:
        advice = "Choose another field with --type-at, or one subject with --subject and --type."
        raise NothingFoundError(f"no message has the name of a type at {type_at}", advice=advice)
    others = traffic.read - sum(traffic.types[name] for name in shown)
    if others and kind is None:
        note(f"{counted(others, 'message')} without a type that is made of words: they are left out")
    names: set[str] = set()
    found: list[tuple[str, str | None]] = []
    for name in shown:
        made = unused(usable_subject(snake_case(_CAMEL.sub(r"\1 \2", name)).replace("_", ".")), names, ".")
        names.add(made)
        found.append((made, name))
    return found


def _propose(
    contracts: Path,
    subject: str,
    traffic: Traffic,
    known: Subject | None,
    wanted: str | None,
    declared: DeclaredFields,
) -> Inferred:
    seen, wire_type = of_type(traffic, subject, known, wanted)
    pending = option_pointers(declared)
    for each in seen if pending else ():
        pending = [(option, pointer) for option, pointer in pending if not has_value_at(each.data, pointer)]
        if not pending:
            break
    if pending and traffic.type_at is None:
        option, pointer = pending[0]
        raise click.BadParameter(f"No message has a value at {pointer!r}.", param_hint=option)
    return propose(contracts, subject, seen, declared, wire_type)


def _sentence_for_known(inferred: Inferred) -> str:
    name = f"{inferred.subject} v{inferred.version}"
    if inferred.left_out:
        return (
            f"{name} refuses {counted(inferred.left_out, 'message')}, see above. Nothing is proposed without an option"
        )
    return f"{name} already accepts every message. There is nothing to propose"


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
    name, address = source.channel, source.address
    if address is None:
        if name is not None and name not in channels:
            known = ", ".join(channels) or "none"
            advice = f"Known: {known}. For a new one add --key KEY, --topic TOPIC or --exchange NAME."
            raise CatalogError(f"no channel {name!r}", place="catalog.toml", advice=advice)
        return (own if name is None else channels[name]), False
    for each in channels.values():
        if (each.protocol, each.address) == (source.protocol, address):
            return each, False
    name = name or re.split(r"[^A-Za-z0-9_-]+", address.strip(":./"))[-1] or subject
    if name in channels:
        advice = "Choose another name with --channel NAME."
        raise CatalogError(f"channel {name!r} has another address", place="catalog.toml", advice=advice)
    made = Channel(name, source.protocol, address, source.codec or "json", routing_keys=source.routing_keys)
    return made, True


def _traffic(
    source: SourceOptions, catalog: Catalog | None, channel: Channel | None, codec: str | None, type_at: str | None
) -> Traffic:
    reading = source.reading
    if scheme_of(source.url) is not None and channel is None:
        wanted = "--key KEY, --topic TOPIC or --exchange NAME"
        raise click.UsageError(f"Choose the list, topic or exchange with --channel NAME, {wanted}.")
    place = channel or Channel(source.url, "redis-list", source.url, codec or "json")
    if isinstance(reading.since, datetime) and not keeps_times(source.url, place):
        raise click.UsageError("Lists and files do not store when a message arrived. Leave out --since.")
    if is_recording(source.url):
        interactions = read_recording_file(Path(source.url))[: reading.limit]
        return _watched(read_interactions(interactions, catalog, type_at))
    messages = with_rates(until_interrupted(tap(source.url, place, reading)), lambda: "", reading.limit)
    traffic = read_traffic((each for each in messages if each is not None), codec, type_at or place.type)
    for line in reading.notes:
        note(line)
    if reading.limit is not None and traffic.read + traffic.unreadable.total() >= reading.limit:
        note(f"only the first {counted(reading.limit, 'message')} were read, because of --limit")
    return _watched(traffic)


def _watched(traffic: Traffic) -> Traffic:
    """Show how far a long pass over the messages is."""
    traffic.watch = lambda messages, total: with_progress(messages, total, "inferring")
    if traffic.is_sampled:
        note(
            f"{counted(traffic.read, 'message')} were read, and a random part of them, which fits into memory, is used"
        )
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
    if inferred.replaces:
        note(f"  v{inferred.version} is not registered, so it is replaced: it allowed what no message has")
    if not inferred.known:
        for row in evidence_lines(inferred):
            note(inert(f"  {row}"))
        if (more := needs_more(inferred)) is not None:
            note(f"  {more}")
