"""Affected: whom a change hurts, as far as replays showed who reads what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract_test.compare import Rule
from contract_test.compat.snapshot import Pair, Snapshot
from contract_test.data.finding import Finding
from contract_test.data.verdict import Incompatibility
from contract_test.replay.observed_readers import describe_reading
from contract_test.schema.bundle import follow, schema_around
from contract_test.schema.fields import fields_of
from contract_test.schema.walk import escape

MAX_FIELDS = 2000

READ_FIELD_REMOVED = Rule(
    "read-field-removed",
    "A service reads a field that a newer version does not have. Messages of that version will not contain it.",
    "Keep the field until no service reads it, or replay the services against the newer version first.",
)


def affected(pair: Pair, reason: Incompatibility) -> Iterator[str]:
    """Yield a line for each field that an incompatibility concerns, where its readers are known.

    Where nobody was replayed against that version yet, what is read of the writer's counts.
    """
    known = pair.reader.readers or pair.writer.readers
    if not known:
        return
    others = {service for group in _by_version(pair, [each.service for each in known])[2].values() for service in group}
    for pointer in _pointers(pair.reader, reason):
        words = {each.service: describe_reading(each, pointer) for each in known if each.service not in others}
        hurt = [f"{service}, which {_of_it(word)}" for service, word in words.items() if "reads," in word]
        rest = [f"{service} {_of_it(word)}" for service, word in words.items() if "reads," not in word]
        if not words:
            continue
        yield f"{pointer}: " + "; ".join([*([f"breaks {' and '.join(hurt)}"] if hurt else []), *rest])


def who_breaks(pair: Pair, reason: Incompatibility | None = None) -> Iterator[str]:
    """Yield who breaks on whose messages: `billing, which reads v1, breaks on what shop sends as v2`.

    A service that was replayed and does not read what the reason is about is left out. The newest version that a
    service was replayed with is the one that it reads today. No service is taken to read the newer version already
    unless it was replayed with it.
    """
    if pair.subject is None:
        return
    senders, readers = pair.subject.sent_by, pair.subject.received_by
    left_out = _not_reading(pair, reason) if reason else frozenset()
    now, later, others = _by_version(pair, [service for service in readers if service not in left_out])
    sent = f"what {_listed(senders)} {'send' if len(senders) > 1 else 'sends'} as {pair.writer.label}"
    if not readers:
        yield f"nobody in the catalog reads {sent}"
        return
    for services in _apart(pair, now):
        break_ = f"break{'' if len(services) > 1 else 's'} on {sent}"
        if pair.newer is pair.reader and services[0] not in pair.reader.newest_read:
            yield f"{_listed(services)} {break_} once {_upgraded(pair, services)}"
        else:
            yield f"{_listed(services)}, which {_read(services)} {pair.reader.label}, {break_}"
    for version, services in later.items():
        breaks = f"break{'' if len(services) > 1 else 's'} on {sent} once {_upgraded(pair, services)}"
        yield f"{_listed(services)}, which {_read(services)} v{version} today, {breaks}"
    for version, services in others.items():
        yield f"{_listed(services)} {_read(services)} v{version} today, not {pair.reader.label}"
    if not now and not later and left_out:
        named = [service for service in readers if service in left_out]
        yield f"nobody breaks on {sent}, as far as replays showed: {_listed(named)} read nothing of it"
    elif not now and not later:
        yield f"nobody breaks on {sent}, as far as replays showed"


def breaking(pair: Pair, reason: Incompatibility | None = None) -> tuple[str, ...]:
    """Return the services that break, now or once they read the newer version."""
    left_out = _not_reading(pair, reason) if reason else frozenset()
    readers = pair.subject.received_by if pair.subject else ()
    now, later, _ = _by_version(pair, [service for service in readers if service not in left_out])
    found = {*now, *(service for services in later.values() for service in services)}
    return tuple(service for service in readers if service in found)


def _apart(pair: Pair, services: Sequence[str]) -> list[list[str]]:
    """Services that were replayed, and those of which nothing is known."""
    known = [service for service in services if service in pair.reader.newest_read]
    return [each for each in (known, [service for service in services if service not in known]) if each]


def _upgraded(pair: Pair, services: Sequence[str]) -> str:
    return f"{'they read' if len(services) > 1 else 'it reads'} {pair.reader.label}"


def readers_to_upgrade(pair: Pair) -> list[str]:
    """Return the services that do not read the writer's version yet, or of which that is not known."""
    readers = pair.subject.received_by if pair.subject else ()
    return [service for service in readers if pair.writer.newest_read.get(service, 0) < pair.writer.contract.version]


def _by_version(pair: Pair, services: Sequence[str]) -> tuple[list[str], dict[int, list[str]], dict[int, list[str]]]:
    """Services by what they read today.

    Those that read the reader's version, or of which nothing is known; those that will come to it, by the version that
    they read today; and those that read another one, by this.
    """
    now: list[str] = []
    later: dict[int, list[str]] = {}
    others: dict[int, list[str]] = {}
    reader, writer = pair.reader.contract.version, pair.writer.contract.version
    for service in services:
        newest = pair.reader.newest_read.get(service)
        if newest is None or reader in (newest, writer):
            now.append(service)
        elif newest < reader and pair.newer is pair.reader:
            later.setdefault(newest, []).append(service)
        else:
            others.setdefault(newest, []).append(service)
    return now, later, others


def _read(services: Sequence[str]) -> str:
    return "read" if len(services) > 1 else "reads"


def _listed(services: Sequence[str]) -> str:
    if not services:
        return "nobody in the catalog"
    return " and ".join(filter(None, (", ".join(services[:-1]), services[-1])))


def _not_reading(pair: Pair, reason: Incompatibility) -> frozenset[str]:
    """The services that were replayed and read none of the fields that a reason is about."""
    known = pair.reader.readers or pair.writer.readers
    pointers = _pointers(pair.reader, reason) if known else []
    if not pointers:
        return frozenset()
    return frozenset(
        each.service for each in known if not any("reads," in describe_reading(each, pointer) for pointer in pointers)
    )


def removed_reads(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Yield a warning for each field that is gone from a newer version and that a service reads in the older one.

    A service that was replayed against the newer version gets along without it. Of a required one FORWARD says so.
    """
    forward = {(pair.older, pair.newer) for pair in pairs if pair.direction == "FORWARD"}
    for older, newer in dict.fromkeys((pair.older, pair.newer) for pair in pairs):
        yield from _removed_reads(older, newer, only_optional=(older, newer) in forward)


def removed_unknown(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield a line for each newer version without fields of the one before it, where nobody knows who reads them."""
    forward = {(pair.older, pair.newer) for pair in pairs if pair.direction == "FORWARD"}
    nearest = {pair.newer: pair for pair in sorted(pairs, key=lambda pair: pair.older.contract.version)}
    for pair in nearest.values():
        gone = [] if pair.older.readers else _gone(pair.older, pair.newer, (pair.older, pair.newer) in forward)
        if gone and pair.subject:
            yield (
                f"{pair.subject.name}: {pair.newer.label} no longer has {', '.join(gone)}. Which services read this in "
                f"{pair.older.label} is not known. To find out, see contract-test readers {pair.subject.name}"
            )


def _gone(older: Snapshot, newer: Snapshot, only_optional: bool) -> list[str]:  # noqa: FBT001
    """The outermost fields of an older version that a newer one does not have; none where they are very many."""
    now, then = (
        fields_of(snapshot.contract.resources, snapshot.contract.uri).places_up_to(MAX_FIELDS)
        for snapshot in (newer, older)
    )
    if now is None or then is None:
        return []
    kept = {each.pointer for each in now}
    gone = {each.pointer: each.required for each in then if each.pointer not in kept}
    return [
        pointer
        for pointer, required in gone.items()
        if pointer.rpartition("/")[0] not in gone and not (only_optional and required)
    ]


def _removed_reads(older: Snapshot, newer: Snapshot, *, only_optional: bool) -> Iterator[Finding]:
    get_along = {each.service for each in newer.readers}
    if all(each.service in get_along for each in older.readers):
        return
    for pointer in _gone(older, newer, only_optional):
        words = {each.service: describe_reading(each, pointer) for each in older.readers}
        if any("reads," in word for service, word in words.items() if service not in get_along):
            reads_of_services = "; ".join(f"{service} {_of_it(word)}" for service, word in words.items())
            yield Finding(
                newer.file,
                "",
                READ_FIELD_REMOVED.id,
                f"{pointer} is gone: {reads_of_services}",
                READ_FIELD_REMOVED.fix,
                severity="warning",
                explanation=READ_FIELD_REMOVED.explanation,
                subject=newer.contract.subject,
                writer=newer.label,
                reader=older.label,
                key=f"{READ_FIELD_REMOVED.id}:{newer.contract.subject}:"
                f"v{newer.contract.version}>v{older.contract.version}:{pointer}",
            )


def _of_it(word: str) -> str:
    return word.replace(",", " it", 1) if "reads," in word else f"{word} it"


def _pointers(reader: Snapshot, reason: Incompatibility) -> list[str]:
    uri, inside = reader.bundle.file_of(reason.reader_pointer)
    uri, inside = follow(reader.contract.resources, uri or reader.contract.uri, inside)
    inside = schema_around(reader.contract.resources[uri], inside)
    fields = fields_of(reader.contract.resources, reader.contract.uri)
    missing = reason.after if reason.rule == "required-property-added" and isinstance(reason.after, str) else None
    found = fields.pointers_of(uri, inside)
    return [pointer if missing is None else f"{pointer}/{escape(missing)}" for pointer in found]
