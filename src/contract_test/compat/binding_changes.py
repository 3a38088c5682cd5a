"""Agreed: what the catalog says of how a message travels. A change of it breaks readers, whatever the schemas say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from contract_test.compare import Rule, stricter
from contract_test.data.contract import Channel, Subject
from contract_test.data.finding import Finding

_KEEP = "Keep it, or describe the new one as a subject of its own until every reader has moved."

CHANNEL_CHANGED = Rule(
    "channel-changed",
    "The catalog sends a subject over another channel, but deployed readers still read the old one.",
    _KEEP,
)
CHANNEL_ADDED = Rule(
    "channel-added",
    "Producers may send a subject on one more channel, but deployed readers do not read it there.",
    "Let every reader read the new channel before a producer sends there.",
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

_NAMING_CODECS = ("cloudevents", "resque", "celery", "sidekiq")
"""The codecs whose messages name their type."""


def _wire_type(subject: Subject) -> object:
    """The type as messages say it; None where no channel's codec has a place for it."""
    says_it = any(each.codec in _NAMING_CODECS or each.type is not None for each in subject.all_channels)
    return (subject.type or subject.name) if says_it else None


class _Change(NamedTuple):
    """Something that was agreed, what it was, and what it is now. `name` is what it is called in the finding's key."""

    rule: Rule
    severity: str
    name: str
    pointer: str
    sentence: str


def changed_bindings(before: Subject, now: Subject, ref: str, root: Path) -> Iterator[Finding]:
    """Yield what was agreed of a subject at a git ref, and is not any more."""
    readers = f"Read by {', '.join(before.received_by)}." if before.received_by else "The catalog names no reader."
    for role in _ROLES:
        for change in (*_channel_changes(before, now, role, ref), *(_subject_changes(before, now, ref, role))):
            yield Finding(
                (root / "catalog.toml").as_posix(),
                change.pointer,
                change.rule.id,
                change.sentence,
                change.rule.fix,
                change.severity,
                explanation=change.rule.explanation,
                affected=(readers,),
                subject=now.name,
                key=f"{change.rule.id}:{now.name}:{change.name}",
            )


_ROLES = ("channels", "retry", "dead_letter")
_OF_A_CHANNEL: tuple[tuple[Rule, str, str], ...] = (
    (CHANNEL_CHANGED, "protocol", "protocol"),
    (CHANNEL_CHANGED, "address", "address"),
    (CODEC_CHANGED, "codec", "codec"),
    (CODEC_CHANGED, "where the type stands", "type"),
)
"""Rule, what it is called, and its key in the catalog."""
_OF_A_SUBJECT: tuple[tuple[Rule, str, str, str, Callable[[Subject], object]], ...] = (
    (CODEC_CHANGED, "error", "where the version stands", "version", lambda subject: subject.version),
    (WIRE_TYPE_CHANGED, "error", "type", "type", _wire_type),
    (KEY_CHANGED, "warning", "key", "key", lambda subject: subject.key),
)
"""Rule, severity, what it is called, its key in the catalog, and how it is found."""


def _subject_changes(before: Subject, now: Subject, ref: str, role: str) -> Iterator[_Change]:
    if role != "channels":
        return
    changes: list[tuple[Rule, str, str, str, object, object]] = [
        (rule, severity, name, key, value_in(before), value_in(now))
        for rule, severity, name, key, value_in in _OF_A_SUBJECT
    ]
    changes += [
        (
            CODEC_CHANGED,
            "error",
            f"schema id of v{version}",
            f"schema_ids.{version}",
            number,
            now.schema_ids.get(version),
        )
        for version, number in before.schema_ids.items()
        if version in now.contracts
    ]
    for rule, severity, name, key, old, new in changes:
        if old is not None and old != new:
            yield _Change(rule, severity, name, _row(now, key), _sentence(name, old, new, ref))


def _channel_changes(before: Subject, now: Subject, role: str, ref: str) -> Iterator[_Change]:
    """Yield what changed of the channels of a subject, of those that it was sent on or of those for its copies."""
    old: Mapping[str, Channel] = {each.name: each for each in getattr(before, role)}
    new: Mapping[str, Channel] = {each.name: each for each in getattr(now, role)}
    several = len(before.all_channels) > 1 or len(now.all_channels) > 1
    place = _row(now, role if several else "channel")
    pairs, gone, fresh = _pairs(old, new)
    for one, other in pairs:
        for rule, what, key in _OF_A_CHANNEL:
            value, changed = getattr(one, key), getattr(other, key)
            if value is not None and value != changed:
                name = f"{what} of {one.name}" if several else what
                where = f'[channels."{other.name}"].{key}' if one.name == other.name else place
                yield _Change(rule, _severity(rule, role), name, where, _sentence(name, value, changed, ref))
    for each in gone:
        sentence = (
            f"the {_ROLE_NAMES[role]} {each.name} ({each.protocol} {each.address}) at {ref} is not there any more"
        )
        yield _Change(CHANNEL_CHANGED, _severity(CHANNEL_CHANGED, role), f"{role} {each.name}", place, sentence)
    for each in fresh if role == "channels" and old else ():
        sentence = f"the channel {each.name} ({each.protocol} {each.address}) was not there at {ref}"
        yield _Change(CHANNEL_ADDED, "warning", f"{role} {each.name}", place, sentence)


_ROLE_NAMES = {"channels": "channel", "retry": "retry channel", "dead_letter": "dead-letter channel"}


def _severity(rule: Rule, role: str) -> str:
    """A copy that is not read any more is lost to a retry; one that cannot be decoded stops its reader."""
    return "error" if role == "channels" or (role == "retry" and rule is CODEC_CHANGED) else "warning"


def _pairs(
    old: Mapping[str, Channel], new: Mapping[str, Channel]
) -> tuple[list[tuple[Channel, Channel]], list[Channel], list[Channel]]:
    """Return the channels before and now that belong together, by name, address or because one moved; and the rest."""
    pairs = [(old[name], new[name]) for name in old if name in new]
    gone = {(each.protocol, each.address): each for name, each in old.items() if name not in new}
    fresh = {(each.protocol, each.address): each for name, each in new.items() if name not in old}
    pairs += [(gone.pop(address), fresh.pop(address)) for address in list(gone) if address in fresh]
    if len(gone) == len(fresh) == 1:
        pairs.append((gone.popitem()[1], fresh.popitem()[1]))
    return pairs, list(gone.values()), list(fresh.values())


def _sentence(name: str, old: object, new: object, ref: str) -> str:
    subject = name if name.startswith("where ") else f"the {name}"
    return f"{subject} was {old} at {ref}, and is {'not set any more' if new is None else new}"


def _row(subject: Subject, key: str) -> str:
    """Where the catalog says something of a subject."""
    return f'[subjects."{subject.name}"].{key}'


def relaxed_mode(before: Subject, now: Subject, ref: str, root: Path) -> Iterator[Finding]:
    """Yield a finding if the mode of a subject asks for less than at a git ref."""
    old, new = before.compatibility, now.compatibility
    if stricter(old, new) != new:
        sentence = f"the mode was {old} at {ref}, and is {new} here"
        yield Finding(
            (root / "catalog.toml").as_posix(),
            _row(now, "compatibility"),
            MODE_RELAXED.id,
            sentence,
            MODE_RELAXED.fix,
            explanation=MODE_RELAXED.explanation,
            details=(f"This run compares as {stricter(old, new)} asks.",),
            subject=now.name,
            key=f"{MODE_RELAXED.id}:{now.name}:{old}>{new}",
        )
