"""Redelivery.

A consumer's test gets messages as its channel may deliver them, and its state is compared with one delivery of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from contract_test.pytest_plugin.multi_call import Call, call_repeatedly, needs_one_message
from contract_test.replay.cases import Case, Delivery
from contract_test.replay.deliveries import EffectError, check_effects

_ONCE = pytest.StashKey[Any]()
_CRASHES = pytest.StashKey[bool]()
_BORNE = pytest.StashKey[bool]()


class ConsumerCrash(BaseException):
    """Raised where a consumer would acknowledge a message, as if its process had ended there."""


@contextmanager
def delivered(item: pytest.Function, case: Case, delivery: Delivery) -> Iterator[None]:
    """Give the test's function every message of a delivery inside; then check the state."""
    state = item.funcargs["contract_state"]
    if not callable(state):
        pytest.fail(
            f"`contract_state` gives a {type(state).__name__}; let it give a function that gives the state, such as "
            "`return lambda: shop.orders()`",
            pytrace=False,
        )
    fixture = needs_one_message(item)
    if fixture is not None and len(set(map(id, delivery.arrivals))) > 1:
        pytest.fail(
            f"the fixture `{fixture}` asks for a message, and here two of them arrive\n"
            "let the test itself take `message`, and give it to what the fixture makes",
            pytrace=False,
        )
    with call_repeatedly(item, lambda arguments: _arrivals(item, case, delivery, arguments), state) as states:
        yield
    if not states:  # nothing called the test's function: pytest says why
        return
    now = states[-1]
    if delivery.arrivals == delivery.once and not delivery.crash:
        item.stash[_ONCE] = now
        return
    try:
        check_effects(case, item.stash[_ONCE], now)
    except EffectError as error:
        listed = "\n".join(f"  {mismatch}" for mismatch in error.found)
        raise pytest.fail.Exception(
            f"{error.problem}\n{listed}", pytrace=False
        ) from None  # in its context the report finds the error


@contextmanager
def twice(item: pytest.Function) -> Iterator[None]:
    """Call the test's function twice with the same fixtures inside; then `borne` returns the outcome."""
    state = item.funcargs.get("contract_state")

    def calls(arguments: Mapping[str, Any]) -> Iterator[Call]:
        for _ in range(2):
            yield arguments, nullcontext()

    with call_repeatedly(item, calls, state if callable(state) else None) as states:
        yield
    item.stash[_BORNE] = len(states) > 1 and states[0] == states[1]


def borne(item: pytest.Item) -> bool:
    """Return whether a second delivery is known to have changed nothing: a state that nobody names may be any."""
    return item.stash.get(_BORNE, False)


def acknowledges(item: pytest.Item) -> Callable[[], None]:
    """Return what the fixture `acknowledge` gives: it does nothing, or, once, all that a crash does."""

    def acknowledge() -> None:
        if item.stash.get(_CRASHES, False):
            item.stash[_CRASHES] = False
            raise ConsumerCrash

    return acknowledge


@contextmanager
def _crash_ends() -> Iterator[None]:
    """End a call where the consumer crashes, also in a task of a group: everything else that was raised stays."""
    try:
        yield
    except ConsumerCrash:
        return
    except BaseExceptionGroup as group:
        crashes, others = group.split(ConsumerCrash)
        if crashes is None:
            raise
        if others is not None:
            raise others from None


def _arrivals(item: pytest.Function, case: Case, delivery: Delivery, arguments: Mapping[str, Any]) -> Iterator[Call]:
    for message in delivery.arrivals:
        now = replace(case, message=message, version=message.interaction.version)
        item.callspec.params["contract_case"] = now  # what is reported, should the service choke on this one
        data = message.envelope.data
        given = {"message": data, "messages": [data], "envelope": message.envelope}
        chosen = {name: given.get(name, value) for name, value in arguments.items()}
        item.stash[_CRASHES] = bool(delivery.crash)
        yield chosen, _crash_ends()
        item.stash[_CRASHES] = False
        if delivery.crash == "before":
            yield chosen, _crash_ends()
