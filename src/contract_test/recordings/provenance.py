"""What recorded messages say of themselves, without value objects: when they were sent, and what caused them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contract_test.data.contract import Catalog, Channel, Subject
from contract_test.data.errors import ContractTestError
from contract_test.data.interaction import Interaction
from contract_test.data.texts import counted
from contract_test.files.recordings import read_recordings, wire_of
from contract_test.recordings.messages import at_path
from envelopes.codecs import CODECS, CodecError, Context
from envelopes.pointers import resolve_pointer
from envelopes.types import read_timestamp

_ENVELOPED = ("cloudevents", "resque")
_NO_CHANNEL = Channel("-", "-", "-", "-")


@dataclass(frozen=True)
class Provenance:
    """A recorded message, with the path to its data in the payload; `cause` is the id of what caused it."""

    interaction: Interaction
    path: tuple[str | int, ...]
    id: str | None = None
    time: datetime | None = None
    cause: str | None = None


def provenance_of(interaction: Interaction, catalog: Catalog | None = None) -> Provenance:
    """Read a recorded message. What its codec refuses, or no catalog explains, stays untold."""
    channel = catalog.channels.get(interaction.channel) if catalog is not None else None
    subject = catalog.subjects.get(interaction.subject) if catalog is not None else None
    guesses = (interaction.codec,) if interaction.codec else _ENVELOPED
    for codec in (channel.codec,) if channel is not None else guesses:
        wire = wire_of(interaction)
        try:
            context, _ = CODECS[codec].read(bytes(wire), wire.key, wire.headers, channel or _NO_CHANNEL)
            return _provenance(interaction, context, subject)
        except (CodecError, LookupError, TypeError):
            continue
    return _provenance(interaction, Context(), subject)


def causes(catalog: Catalog) -> Mapping[str, Interaction]:
    """Return every recorded message by its id; what cannot be read is `lint`'s to say."""
    try:
        provenances = [provenance_of(each, catalog) for each in read_recordings(catalog)]
    except ContractTestError:
        return {}
    return {each.id: each.interaction for each in reversed(provenances) if each.id is not None}


def too_old(times: Sequence[datetime | None], most: timedelta) -> tuple[str, str] | None:
    """Return a sentence and an advice if the newest message was sent longer ago than that."""
    known = [time for time in times if time is not None]
    age = datetime.now(UTC) - max(known, default=datetime.now(UTC))
    if age <= most:
        return None
    advice = "Record it again, or let it be where nobody sends this version any more."
    return f"the newest of {counted(len(times), 'recorded message')} is {counted(age.days, 'day')} old", advice


def _provenance(interaction: Interaction, context: Context, subject: Subject | None) -> Provenance:
    path = context.data_path
    data = at_path(interaction.payload, path)
    where = subject.caused_by if subject is not None else None
    cause = (
        None
        if where is None
        else resolve_pointer(data, where)
        if where.startswith("/")
        else context.extensions.get(where)
    )
    name = context.id if context.id is not None else resolve_pointer(data, subject.id if subject is not None else None)
    time = (
        context.time
        if context.time is not None
        else _time(resolve_pointer(data, subject.time if subject is not None else None))
    )
    return Provenance(
        interaction, path, name if isinstance(name, str) else None, time, cause if isinstance(cause, str) else None
    )


def _time(value: Any) -> datetime | None:
    try:
        found = read_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)
