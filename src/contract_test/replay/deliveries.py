"""Deliveries: the ways in which a channel may hand over its messages, and whether the effects are as it declares.

Twice, in another order, and again after a crash between handling and acknowledging: a transport that loses nothing does
all three; and what was acknowledged it never gives again. What a channel declares in the catalog is the effect that is
left when the consumer has dealt with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, is_dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from contract_test.data.contract import Channel, Subject
from contract_test.data.errors import ContractTestError
from contract_test.data.interaction import Mismatch
from contract_test.recordings.messages import Message
from contract_test.replay.cases import Case, Delivery
from contract_test.schema.match import mismatches, same
from contract_test.schema.walk import escape
from envelopes.validation import excerpt

CHECK = "effect-not-as-declared"
_DECLARED = ("at-least-once", "exactly-once")


class EffectError(ContractTestError):
    """The state after a delivery is not what the channel declares; `found` says where."""

    def __init__(self, problem: str, found: Sequence[Mismatch], *, advice: str) -> None:
        super().__init__(problem, advice=advice)
        self.found = tuple(found)


def delivery_cases(recorded: Sequence[Case]) -> Iterator[Case]:
    """Yield what a consumer has to bear of a channel that loses nothing, message by message and pair by pair."""
    for case in recorded:
        yield _delivered(case, "twice", (case.message, case.message))
        yield _delivered(case, "crash", (case.message,), crash="before")
        yield _delivered(case, "acknowledged", (case.message,), crash="after")
    for first, second in pairwise(recorded):
        if _may_swap(first, second):
            name = f"before {first.message.interaction.line}"
            yield _delivered(first, name, (second.message, first.message), once=(first.message, second.message))


def check_effects(case: Case, expected: Any, actual: Any) -> None:
    """Raise EffectError where the state after a delivery differs from the state after each message came once.

    Exactly once: it is the same. At least once: nothing of it is missing; numbers may be higher, lists longer.
    """
    channel, delivery = _channel(case), case.delivery
    assert delivery is not None
    exact = channel.delivery == "exactly-once"
    found = [*(mismatches(expected, actual) if exact else _lost(expected, actual, ""))]
    if found:
        state = "the same state as each message once" if exact else "the same state as each message once, or more"
        raise EffectError(
            f"the channel {channel.name!r} declares {channel.delivery}: {case.change} has to leave {state}",
            [replace(each, check=CHECK) for each in found],
            advice="Let the handler recognise what it has done, by the message's id; or declare another `delivery`.",
        )


def snapshot(state: Any) -> Any:
    """Return a state as plain JSON, as it is now: records and mappings as objects, sets in an order of their own."""
    if state is None or isinstance(state, bool | int | float | str):
        return state
    if is_dataclass(state) and not isinstance(state, type):
        return snapshot(asdict(state))
    if isinstance(state, Mapping):
        return {str(name): snapshot(value) for name, value in state.items()}
    if isinstance(state, AbstractSet):
        return sorted(map(snapshot, state), key=repr)
    if isinstance(state, list | tuple):
        named = getattr(state, "_asdict", None)
        return snapshot(named()) if named is not None else [snapshot(value) for value in state]
    return repr(state)


def _delivered(
    case: Case,
    name: str,
    arrivals: tuple[Message, ...],
    *,
    once: tuple[Message, ...] = (),
    crash: Literal["", "before", "after"] = "",
) -> Case:
    descriptions = {
        "twice": "the same message twice",
        "crash": "a crash before it is acknowledged, and the message again",
        "acknowledged": "a crash as soon as it is acknowledged, and the message never again",
    }
    change = descriptions.get(name, f"this message {name.replace(' ', ' line ')}")
    delivery = Delivery(arrivals, once or (case.message,), crash=crash)
    return replace(case, message=arrivals[0], origin="delivery", name=name, change=change, delivery=delivery)


def _channel(case: Case) -> Channel:
    assert case.subject.channel is not None, "a recorded message has a channel"
    return case.subject.channel


def declares(subject: Subject) -> bool:
    """Return whether the channel of a subject says what is to be left of its deliveries."""
    return subject.channel is not None and subject.channel.delivery in _DECLARED


def _may_swap(first: Case, second: Case) -> bool:
    """Kafka keeps the order of messages with one key."""
    one, other = first.message.envelope.key, second.message.envelope.key
    return _channel(first).protocol != "kafka" or one is None or one != other


def _lost(expected: Any, actual: Any, pointer: str) -> Iterator[Mismatch]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            place = f"{pointer}/{escape(name)}"
            if name in actual:
                yield from _lost(value, actual[name], place)
            else:
                yield Mismatch(place, excerpt(value), "nothing")
    elif isinstance(expected, list) and isinstance(actual, list):
        rest = list(actual)
        for index, value in enumerate(expected):
            if value in rest:
                rest.remove(value)
            else:
                yield Mismatch(f"{pointer}/{index}", excerpt(value), "nothing")
    elif _is_number(expected) and _is_number(actual):
        if actual < expected:
            yield Mismatch(pointer, f"at least {expected}", str(actual))
    elif not same(expected, actual):
        yield Mismatch(pointer, excerpt(expected), excerpt(actual))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
