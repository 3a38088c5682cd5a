"""Cases for messages that were derived from recorded ones, each in an envelope that fits its data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from contract_test.data.errors import RecordingError
from contract_test.recordings.messages import Message, at_path, read_message
from contract_test.replay.cases import Case, Replay
from contract_test.replay.variations.derivation import Variation, Variations
from contract_test.schema.fields import fields_of
from envelopes.codecs.cloudevents import split_header
from envelopes.codecs.confluent import PREFIX as CONFLUENT_PREFIX
from envelopes.pointers import resolve_pointer

MAX_OTHERS = 5


def variation_cases(replay: Replay, recorded: Sequence[Case]) -> Iterator[Case]:
    """Yield variations of the messages that a consumer gets, version by version."""
    by_version: dict[int, list[Case]] = defaultdict(list)
    for case in recorded:
        by_version[case.version].append(case)
    for version, cases in by_version.items():
        subject = cases[0].subject
        contract = subject.contracts[version]
        validator = replay.runtime.value_object(subject.name, version).__contract__.validator
        bases = [case.message.data for case in cases]
        for variation in Variations(fields_of(contract.resources, contract.uri), bases, validator.is_valid).all():
            made = vary(replay, cases[variation.base], variation)
            if made is not None:
                yield made


def generated_cases(recorded: Sequence[Case]) -> Iterator[Case]:
    """Yield a case a version that stands for many: its messages are generated when it is run."""
    first = {case.version: case for case in reversed(recorded)}
    for case in first.values():
        yield replace(case, origin="generated", name="generated", base=case)


def unrecorded_cases(recorded: Sequence[Case]) -> Iterator[Case]:
    """Yield a case that stands for many of each version of which nothing is recorded.

    In the envelope of another version.
    """
    like = recorded[-1]
    for version, contract in like.subject.contracts.items():
        if all(case.version != version for case in recorded):
            interaction = replace(like.message.interaction, version=version, path=contract.path, line=1)
            message = replace(like.message, interaction=interaction)
            yield replace(like, version=version, message=message, origin="generated", name="generated")


def others(replay: Replay, case: Case) -> Iterator[Any]:
    """Yield value objects of other messages of the same version: recorded ones, and variations of this one."""
    data = case.message.data
    recorded = (each for each in replay.messages(case.subject) if each.interaction.version == case.version)
    yield from islice((each.envelope.data for each in recorded if each.data != data), MAX_OTHERS)
    varied = (each.message for each in variation_cases(replay, [case]) if not each.message.envelope.newer)
    yield from islice((each.envelope.data for each in varied if each.data != data), MAX_OTHERS)


def new_message(replay: Replay, case: Case, number: int) -> Message:
    """Return a message whose texts end in a number, where its contract allows it."""
    message = case.message
    for path, text in _texts(message.data, ()):
        message = with_data(replay, case, _put(message.data, path, f"{text}{number}")) or message
    return message


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for step, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(part, (*path, step))


def vary(replay: Replay, case: Case, variation: Variation) -> Case | None:
    """Return a case with a variation of its message; None where the channel cannot carry it, such as a version."""
    message = with_data(replay, case, variation.applied(case.message.data), newer=variation.newer)
    if message is None:
        return None
    change = variation.name if not variation.edits else ", ".join(map(str, variation.edits))
    return replace(
        case, message=message, origin="variation", name=variation.name, change=change, base=case, variation=variation
    )


def with_data(replay: Replay, case: Case, data: Any, *, newer: bool = False) -> Message | None:
    """Return a recorded message with other data: id, time, key and version follow it. None where it cannot be read."""
    interaction, subject = case.message.interaction, case.subject
    unrecorded = interaction.path == subject.contracts[case.version].path
    path = case.message.data_path
    headers = dict(interaction.headers)
    attributes: dict[str, Any] = {}
    if subject.id is not None:
        attributes["id"] = resolve_pointer(data, subject.id)
    if subject.time is not None:
        attributes["time"] = resolve_pointer(data, subject.time)
    if newer:
        family = replay.runtime.subject(subject.name).dataschema_family
        attributes["dataschema"] = None if family is None else family.next_uri()
    elif unrecorded:
        attributes["dataschema"] = subject.contracts[case.version].dataschema
    payload = _put(interaction.payload, path, data)
    original_attributes = {name: value for name, value in attributes.items() if isinstance(value, str) and value}
    if path and path[-1] == "data":  # a structured event is around it
        payload = _put(payload, path[:-1], at_path(payload, path[:-1]) | original_attributes)
    else:
        for prefix in (prefix for prefix, name in map(split_header, interaction.headers) if name == "specversion"):
            headers |= {prefix + name: value for name, value in original_attributes.items()}
    key = resolve_pointer(data, subject.key) if subject.key is not None else None
    prefix = interaction.prefix
    if unrecorded and prefix and case.version in subject.schema_ids:
        prefix = CONFLUENT_PREFIX.pack(0, subject.schema_ids[case.version]).hex()
    key = key if isinstance(key, str) else interaction.key
    changed = replace(interaction, payload=payload, headers=headers, prefix=prefix, key=key)
    try:
        message = read_message(changed, replay.catalog, replay.runtime)
    except RecordingError:
        return None
    return message if not newer or message.envelope.newer else None


def _put(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A copy of a JSON value with another one at the end of a path."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_put(item, rest, new) if index == step else item for index, item in enumerate(value)]
    return value | {step: _put(value[step], rest, new)}
