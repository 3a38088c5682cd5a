"""One item that calls its test function many times: once for every message that the item stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from contract_test.pytest_plugin.effects import state_now, state_of

Call = tuple[Mapping[str, Any], AbstractContextManager[Any]]
"""The arguments of one call, and what surrounds it."""
_OURS = frozenset(("message", "messages", "envelope", "cause", "causes", "recorded"))


@contextmanager
def call_repeatedly(
    item: pytest.Function,
    calls: Callable[[Mapping[str, Any]], Iterable[Call]],
    state: Callable[[], Any] | None = None,
) -> Iterator[list[Any]]:
    """Let the function of an item be called repeatedly inside; a coroutine function stays one.

    Yield a list, which is filled with what `state` returns after each call.
    """
    function, states = item.obj, list[Any]()
    if inspect.iscoroutinefunction(function):

        async def call(**arguments: Any) -> None:
            for given, around in calls(arguments):
                with around:
                    await function(**given)
                if state is not None:
                    states.append(await state_of(state))

        item.obj = call
    else:

        def call_in_turn(**arguments: Any) -> None:
            for given, around in calls(arguments):
                with around:
                    function(**given)
                if state is not None:
                    states.append(state_now(state))

        item.obj = call_in_turn
    try:
        yield states
    finally:
        item.obj = function


def needs_one_message(item: pytest.Function) -> str | None:
    """Return the name of a fixture that was set up with one message, so that it does not fit a second one."""
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # noqa: SLF001 - pytest has no other way to ask
        for definition in definitions:
            if definition.func.__module__ != "contract_test.pytest_plugin.plugin" and _OURS & set(definition.argnames):
                return name
    return None
