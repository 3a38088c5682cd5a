"""Finding what was called and never awaited: it raises nothing, so that a test of it passes whatever it does."""

from __future__ import annotations

import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract_test.data.errors import UnplayableError

_HOOK = "_warn_unawaited_coroutine"
"""What the interpreter calls when a coroutine ends that never began; its warning may be filtered, or come late."""

_MOCK = f"{sysconfig.get_path('stdlib')}/unittest/mock.py"
"""Where the coroutines of an `AsyncMock` are made: it belongs to the test, and does nothing that can be missed."""

ADVICE = (
    "await it; an `async def` test needs pytest-asyncio or anyio, and their marker "
    "(or asyncio_mode = auto), to be awaited itself"
)


@contextmanager
def everything_awaited() -> Iterator[None]:
    """Fail where a coroutine is dropped inside the block without ever having been awaited."""
    dropped: list[str] = []

    def note(coroutine: Any) -> None:
        if coroutine.cr_code.co_filename != _MOCK:
            dropped.append(coroutine.__qualname__)

    usual = getattr(warnings, _HOOK)
    setattr(warnings, _HOOK, note)
    try:
        yield
    finally:
        setattr(warnings, _HOOK, usual)
    if dropped:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(dropped))
        error = UnplayableError(
            f"{names} was called and never awaited, so nothing of it has happened",
            check="handler-failed",
            advice=ADVICE,
        )
        raise pytest.fail.Exception(str(error), pytrace=False) from error
