"""Upcasters: a message of an old version, as the newest one has it.

A consumer chooses: what `decode` gives is as it was sent; `as_newest` of it is as if its sender had been upgraded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar, cast, overload

from ._catalog import Catalog
from ._envelope import Envelope
from ._errors import EnvelopesError
from ._values import ValueObject

Old = TypeVar("Old", bound=ValueObject)
New = TypeVar("New", bound=ValueObject)
Upcaster = Callable[[Any], ValueObject]

_UPCASTERS: dict[type[ValueObject], tuple[type[ValueObject], Upcaster]] = {}


class UpcastError(EnvelopesError):
    """A message that could not be brought to a newer version."""

    def __init__(self, subject: str, version: int, to: int, reason: str) -> None:
        self.subject, self.version, self.to, self.reason = subject, version, to, reason
        super().__init__(
            f"{subject} v{version} could not be read as v{to}: {reason}. "
            "Write an upcaster that takes every message of the old version, or read it as it was sent"
        )


def upcast(old: type[Old], new: type[New]) -> Callable[[Callable[[Old], New]], Callable[[Old], New]]:
    """Mark a function as the step from one version of a subject to a later one.

    It belongs into the module `upcasters` beside the package of value objects, takes every message of the old version,
    and depends on nothing but that message: `contract-test compat` tries it on recorded and generated ones. Versions
    without an upcaster are read as the next one where its contract accepts them as they are: a new optional field needs
    none. Raises ValueError where `new` is not a later version of the same subject, or `old` has an upcaster already.
    """
    before, after = old.__contract__, new.__contract__
    if before.subject != after.subject or before.version >= after.version:
        raise ValueError(f"{after!r} is no later version of {before!r}")

    def register(step: Callable[[Old], New]) -> Callable[[Old], New]:
        if old in _UPCASTERS:
            raise ValueError(f"{before!r} has an upcaster already: {_UPCASTERS[old][1].__qualname__}")
        _UPCASTERS[old] = new, step
        return step

    return register


@overload
def as_newest(message: Envelope[Any]) -> Envelope[Any]: ...
@overload
def as_newest(message: ValueObject) -> ValueObject: ...
def as_newest(message: Envelope[Any] | ValueObject) -> Envelope[Any] | ValueObject:
    """Bring a message to the newest version that its package knows, version by version; an envelope's with it.

    An envelope goes on saying, in `version`, what was sent. Raises UpcastError where a step fails, or does not give
    what the contract of its version accepts.
    """
    if isinstance(message, Envelope):
        return replace(message, data=as_newest(message.data))
    while (step := step_from(type(message))) is not None:
        message = step(message)
    return message


@cache
def step_from(cls: type[ValueObject]) -> Callable[[ValueObject], ValueObject] | None:
    """Give the checked step from a version to a later one; None for the newest."""
    package = cls.__module__.rpartition(".")[0]
    load_upcasters(package)
    catalog = cast("Catalog", import_module(package).CATALOG)
    contract = cls.__contract__
    later = [version for version in catalog.subject(contract.subject).versions if version > contract.version]
    if not later:
        return None
    new, upcaster = _UPCASTERS.get(cls, (None, None))
    target = new or catalog.value_object(contract.subject, min(later))

    def step(message: ValueObject) -> ValueObject:
        to = target.__contract__.version
        try:
            made = target.from_json(message.to_json()) if upcaster is None else upcaster(message)
            if type(made) is not target:
                raise TypeError(f"the upcaster gave a {type(made).__name__}, not a {target.__name__}")  # noqa: TRY301 - told as all else that fails in it
            made.to_json()
        except Exception as error:
            raise UpcastError(contract.subject, contract.version, to, f"{type(error).__name__}: {error}") from error
        return made

    return step


def has_upcaster(cls: type[ValueObject]) -> bool:
    """Whether the step from this version is a function that somebody wrote."""
    return cls in _UPCASTERS


@cache
def load_upcasters(package: str) -> None:
    """Import the module `upcasters` beside a package of value objects, if there is one."""
    parent = package.rpartition(".")[0]
    name = f"{parent}.upcasters" if parent else f"{package}.upcasters"
    if find_spec(name) is not None:
        import_module(name)
