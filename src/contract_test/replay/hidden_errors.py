"""Errors of a service that never reach its test: in a thread, in a future or task that nobody asks, or in a log."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from contract_test.data.result import Run
from contract_test.data.texts import counted

MARKER = "contract_errors_expected"
_ADVICE = f"Let the test see it. If the test expects it, ask for `caplog`, or mark the test @pytest.mark.{MARKER}"


class HiddenErrors:
    """Notes errors between `take` and `take`. With `logged` False, what is logged does not count."""

    def __init__(self, *, logged: bool) -> None:
        self._logged = logged
        self._found: dict[int, tuple[BaseException, str]] = {}
        self._futures: dict[int, tuple[Future[Any], BaseException]] = {}

    def take(self) -> tuple[str, ...]:
        """Return what was found since the last time, such as "KeyError in a thread", and forget it."""
        if not self._futures and not self._found:
            return ()
        for _, error in self._futures.values():
            self._found.setdefault(id(error), (error, "in a future whose result nobody asked for"))
        found = tuple(sorted({f"{type(error).__name__} {where}" for error, where in self._found.values()}))
        self._found.clear()
        self._futures.clear()
        return found

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look for errors inside."""
        hook, handle = threading.excepthook, logging.Logger.handle
        fail, result, exception = Future.set_exception, Future.result, Future.exception

        def in_thread(arguments: threading.ExceptHookArgs) -> None:
            self._note(arguments.exc_value, "in a thread")
            hook(arguments)

        def in_log(logger: logging.Logger, record: logging.LogRecord) -> None:
            if self._logged and record.levelno >= logging.ERROR and record.exc_info:
                task = record.name == "asyncio" and "never retrieved" in record.msg
                self._note(record.exc_info[1], "in a task that nobody awaited" if task else "that was only logged")
            handle(logger, record)

        def failing(future: Future[Any], error: BaseException | None) -> None:
            if error is not None:
                self._futures[id(future)] = future, error
            fail(future, error)

        def asked_for_result(future: Future[Any], timeout: float | None = None) -> Any:
            self._futures.pop(id(future), None)
            try:
                return result(future, timeout)
            finally:  # it may have failed while its result was waited for
                self._futures.pop(id(future), None)

        def asked_for_error(future: Future[Any], timeout: float | None = None) -> BaseException | None:
            found = exception(future, timeout)
            self._futures.pop(id(future), None)
            return found

        changes: list[tuple[Any, str, Any]] = [
            (threading, "excepthook", in_thread),
            (logging.Logger, "handle", in_log),
            (Future, "set_exception", failing),
            (Future, "result", asked_for_result),
            (Future, "exception", asked_for_error),
        ]
        before = [getattr(place, name) for place, name, _ in changes]
        for place, name, value in changes:
            setattr(place, name, value)
        try:
            yield
        finally:
            for (place, name, _), value in zip(changes, before, strict=True):
                setattr(place, name, value)

    def _note(self, error: BaseException | None, where: str) -> None:
        if error is not None:
            self._found.setdefault(id(error), (error, where))


def hidden_errors(run: Run) -> list[str]:
    """Return a line for each kind of error that did not reach its test, by contract."""
    found = []
    for each in run.operations:
        kinds = Counter[str]()
        for (_, hidden, _), count in each.observations.items():
            kinds.update(dict.fromkeys(hidden, count))
        for error, count in sorted(kinds.items()):
            name = f"{each.operation} {each.subject} v{each.version}"
            found.append(f"{name}: {error} did not reach the test, with {counted(count, 'message')}. {_ADVICE}")
    return found
