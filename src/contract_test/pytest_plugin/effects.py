"""Whether a message had an effect on the state that a test names with the fixture `contract_state`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable, iscoroutinefunction
from typing import Any

import pytest

from contract_test.replay.cases import Case
from contract_test.replay.deliveries import snapshot

STATE = "contract_state"


@contextmanager
def watch_effect(item: pytest.Function, case: Case) -> Iterator[Callable[[], bool]]:
    """Look at the state before and after the test's function; yield what tells whether it changed."""
    state, seen = item.funcargs.get(STATE), list[Any]()
    if case.operation != "consumes" or case.origin != "recorded" or not callable(state):
        yield lambda: False
        return
    function = item.obj
    if iscoroutinefunction(function):

        async def call(**arguments: Any) -> None:
            seen.append(await state_of(state))
            await function(**arguments)
            seen.append(await state_of(state))

        item.obj = call
    else:

        def call_in_turn(**arguments: Any) -> object:
            seen.append(state_now(state))
            returned = function(**arguments)
            seen.append(state_now(state))
            return returned

        item.obj = call_in_turn
    try:
        yield lambda: len(seen) > 1 and seen[0] != seen[-1]
    finally:
        item.obj = function


async def state_of(state: Callable[[], Any]) -> Any:
    """Return what a state function gives, awaited if need be, as it is now."""
    found = state()
    return snapshot(await found if isawaitable(found) else found)


def state_now(state: Callable[[], Any]) -> Any:
    """Return the same in a test that is no coroutine. An awaitable state is awaited in an event loop of its own."""
    found = state()
    if isawaitable(found):
        import asyncio

        return snapshot(asyncio.run(_awaited(found)))
    return snapshot(found)


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value
