"""Agreed: what the catalog says of how a message travels. A change of it breaks readers, whatever the schemas say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from contract_test.compare import Rule, stricter
from contract_test.data.contract import Subject
from contract_test.data.finding import Finding

_KEEP = "Keep it, or describe the new one as a subject of its own until every reader has moved."

CHANNEL_CHANGED = Rule(
    "channel-changed",
    "The catalog sends a subject over another channel, but deployed readers still read the old one.",
    _KEEP,
)
CODEC_CHANGED = Rule(
    "codec-changed",
    "The catalog uses another codec for a subject, and deployed readers cannot decode it.",
    _KEEP,
)
WIRE_TYPE_CHANGED = Rule(
    "wire-type-changed",
    "The type on the wire has changed, and deployed readers do not recognize it.",
    _KEEP,
)
KEY_CHANGED = Rule(
    "key-changed",
    "The partition key has changed, so related messages may be read in another order.",
    "Wait until all messages with the old key are read before you use the new one.",
)
MODE_RELAXED = Rule(
    "mode-relaxed",
    "The catalog asks for less compatibility than before, so later changes may break deployed services.",
    "Keep the mode. Or relax it in a change of its own and accept this finding, before you use the new mode.",
)


def _of_channel(name: str) -> Callable[[Subject], object]:
    return lambda subject: getattr(subject.channel, name, None)


def _wire_type(subject: Subject) -> object:
    """The type as messages say it; None where the channel's codec has no place for it."""
    channel = subject.channel
    says_it = channel is not None and (channel.codec in ("cloudevents", "resque") or channel.type is not None)
    return (subject.type or subject.name) if says_it else None


def _row(subject: Subject, before: Subject, name: str) -> str:
    """Where the catalog says it: a key of the subject, or `channel.KEY`, of a channel."""
    of_subject = f'[subjects."{subject.name}"]'
    key = name.removeprefix("channel.")
    if key == name or subject.channel is None:
        return f"{of_subject}.{key}"
    moved = before.channel is None or before.channel.name != subject.channel.name
    return f"{of_subject}.channel" if moved else f'[channels."{subject.channel.name}"].{key}'


_AGREED: tuple[tuple[Rule, str, str, str, Callable[[Subject], object]], ...] = (
    (CHANNEL_CHANGED, "error", "the protocol", "channel.protocol", _of_channel("protocol")),
    (CHANNEL_CHANGED, "error", "the address", "channel.address", _of_channel("address")),
    (CODEC_CHANGED, "error", "the codec", "channel.codec", _of_channel("codec")),
    (CODEC_CHANGED, "error", "where the type stands", "channel.type", _of_channel("type")),
    (CODEC_CHANGED, "error", "where the version stands", "version", lambda subject: subject.version),
    (WIRE_TYPE_CHANGED, "error", "the type", "type", _wire_type),
    (KEY_CHANGED, "warning", "the key", "key", lambda subject: subject.key),
)
"""Rule, severity, what it is called, its key in the catalog, and how it is found."""


def changed_bindings(before: Subject, now: Subject, ref: str, root: Path) -> Iterator[Finding]:
    """Yield what was agreed of a subject at a git ref, and is not any more."""
    changes = [
        (rule, severity, name, _row(now, before, key), value_in(before), value_in(now))
        for rule, severity, name, key, value_in in _AGREED
    ]
    changes += [
        (
            CODEC_CHANGED,
            "error",
            f"the schema id of v{version}",
            _row(now, before, f"schema_ids.{version}"),
            number,
            now.schema_ids.get(version),
        )
        for version, number in before.schema_ids.items()
        if version in now.contracts
    ]
    readers = f"Read by {', '.join(before.received_by)}." if before.received_by else "The catalog names no reader."
    for rule, severity, name, pointer, old, new in changes:
        if old is not None and old != new:
            sentence = f"{name} was {old} at {ref}, and is {'not set any more' if new is None else new}"
            yield Finding(
                (root / "catalog.toml").as_posix(),
                pointer,
                rule.id,
                sentence,
                rule.fix,
                severity,
                explanation=rule.explanation,
                affected=(readers,),
                subject=now.name,
                key=f"{rule.id}:{now.name}:{name.removeprefix('the ')}",
            )


def relaxed_mode(before: Subject, now: Subject, ref: str, root: Path) -> Iterator[Finding]:
    """Yield a finding if the mode of a subject asks for less than at a git ref."""
    old, new = before.compatibility, now.compatibility
    if stricter(old, new) != new:
        sentence = f"the mode was {old} at {ref}, and is {new} here"
        yield Finding(
            (root / "catalog.toml").as_posix(),
            _row(now, before, "compatibility"),
            MODE_RELAXED.id,
            sentence,
            MODE_RELAXED.fix,
            explanation=MODE_RELAXED.explanation,
            details=(f"This run compares as {stricter(old, new)} asks.",),
            subject=now.name,
            key=f"{MODE_RELAXED.id}:{now.name}:{old}>{new}",
        )
