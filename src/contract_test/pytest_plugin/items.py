"""What the plugin keeps with an item: its case, the message that its test was given, and what was read of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from contract_test.data.interaction import Mismatch
from contract_test.data.result import GivenMessage
from contract_test.recordings.messages import Message
from contract_test.replay.cases import Case
from contract_test.replay.copies import RecordedMessage
from contract_test.replay.field_access import FieldAccess
from contract_test.replay.unused_message import WATCHED, Reading
from envelopes import Envelope

RECORDED = pytest.StashKey[RecordedMessage]()
"""What a producer's test got as `recorded`."""
READING = pytest.StashKey[Reading]()
"""How the service read the message of an item, if that could not be watched."""
EMITTED = pytest.StashKey[int]()
"""How many messages the test of an item emitted for a cause without recorded effects."""
SENT = pytest.StashKey[tuple[int, ...]]()
"""The versions of the messages that the test of an item emitted."""
HIDDEN = pytest.StashKey[tuple[str, ...]]()
"""The errors that did not reach the test of an item."""
GIVEN = pytest.StashKey[tuple[Message, Envelope[Any], FieldAccess]]()
MISMATCHES = pytest.StashKey[Sequence[Mismatch]]()
Reads = tuple[set[str], set[str]]
READS = pytest.StashKey[Reads]()
"""Of an item that stands for many messages: what the service read of any of them, and what its test read."""


def case_of(item: pytest.Item) -> Case | None:
    """Return the case that an item is run with; None for any other item."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("contract_case") if callspec is not None else None
    return case if isinstance(case, Case) else None


def begin(item: pytest.Item) -> None:
    """Forget what an earlier run of the item left."""
    if GIVEN in item.stash:
        del item.stash[GIVEN]
    if RECORDED in item.stash:
        del item.stash[RECORDED]
    item.stash[MISMATCHES] = ()
    item.stash[HIDDEN] = ()
    item.stash[EMITTED] = 0
    item.stash[SENT] = ()
    item.stash[READING] = WATCHED


def watched_of(item: pytest.Item) -> tuple[Message, FieldAccess] | None:
    """Return the message that an item was given last, and what was read of it."""
    if GIVEN not in item.stash:
        return None
    message, _, watch = item.stash[GIVEN]
    return message, watch


def seen_of(item: pytest.Item) -> tuple[GivenMessage | None, tuple[str, ...], tuple[str, ...]]:
    """Return what an item was given, and what was read of it: by the service, and by its test."""
    if GIVEN not in item.stash:
        return None, (), ()
    message, _, watch = item.stash[GIVEN]
    interaction = message.interaction
    given = GivenMessage(interaction.subject, interaction.version, interaction.place)
    by_service, by_test = item.stash.get(READS, (frozenset(), frozenset()))
    return given, tuple(sorted(watch.by_service | by_service)), tuple(sorted(watch.by_test | by_test))
