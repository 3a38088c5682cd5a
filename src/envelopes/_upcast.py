"""Upcasters: a message of an old version, as the newest one has it.

`decode` returns a message as it was sent. `as_newest` returns it as an upgraded sender would have sent it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar, cast, overload

from ._envelope import Envelope
from ._errors import EnvelopesError, UpcastError
from ._values import ValueObject
from .catalog import Catalog

Old = TypeVar("Old", bound=ValueObject)
New = TypeVar("New", bound=ValueObject)
Upcaster = Callable[[Any], ValueObject]

_UPCASTERS: dict[type[ValueObject], tuple[type[ValueObject], Upcaster]] = {}


def upcast(old: type[Old], new: type[New]) -> Callable[[Callable[[Old], New]], Callable[[Old], New]]:
    """Mark a function as the step from one version of a subject to a later one.

    Put the function into the module `upcasters` beside the package of value objects. It takes every message of the old
    version and depends on nothing but that message. `contract-test compat` tries it on recorded and generated messages.
    A version without an upcaster is read as the next one if that contract accepts the message as it is, so a new
    optional field needs no upcaster.

    Args:
        old: The class of the old version.
        new: The class of the later version that the function returns.

    Returns:
        A decorator that registers the function and returns it unchanged.

    Raises:
        ValueError: `new` is not a later version of the same subject, or `old` already has an upcaster.

    """
    before, after = old.__contract__, new.__contract__
    if before.subject != after.subject or before.version >= after.version:
        raise ValueError(f"{after!r} is not a later version of {before!r}")

    def register(step: Callable[[Old], New]) -> Callable[[Old], New]:
        if old in _UPCASTERS:
            raise ValueError(f"{before!r} already has an upcaster: {_UPCASTERS[old][1].__qualname__}")
        _UPCASTERS[old] = new, step
        return step

    return register


@overload
def as_newest(message: Envelope[Any]) -> Envelope[Any]: ...
@overload
def as_newest(message: ValueObject) -> ValueObject: ...
def as_newest(message: Envelope[Any] | ValueObject) -> Envelope[Any] | ValueObject:
    """Bring a message to the newest version that its package knows, one version at a time.

    Args:
        message: A value object, or an envelope around one.

    Returns:
        The message as the newest version. The `version` of an envelope stays the version that was sent.

    Raises:
        UpcastError: A step failed, or its result breaks the contract of its version.

    """
    if isinstance(message, Envelope):
        return replace(message, data=as_newest(message.data))
    while (step := step_from(type(message))) is not None:
        message = step(message)
    return message


def _reason(error: Exception) -> str:
    """Return what failed, and where. Other libraries' texts are left out: they may repeat values of the message."""
    name = type(error).__name__
    if isinstance(error, EnvelopesError):
        return f"{name}: {error}"
    frame = extract_tb(error.__traceback__)[-1]
    return f"{name} in {Path(frame.filename).name}, line {frame.lineno}"


@cache
def step_from(cls: type[ValueObject]) -> Callable[[ValueObject], ValueObject] | None:
    """Return the checked step from a version to a later one, or None for the newest."""
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
                reason = f"the upcaster gave a {type(made).__name__}, not a {target.__name__}"
                raise UpcastError(contract.subject, contract.version, to, reason)  # noqa: TRY301 - as all else in it
            made.to_json()
        except UpcastError:
            raise
        except Exception as error:
            raise UpcastError(contract.subject, contract.version, to, _reason(error)) from error
        return made

    return step


def has_upcaster(cls: type[ValueObject]) -> bool:
    """Return True if somebody wrote an upcaster from this version."""
    return cls in _UPCASTERS


@cache
def load_upcasters(package: str) -> None:
    """Import the module `upcasters` beside a package of value objects, if there is one."""
    parent = package.rpartition(".")[0]
    name = f"{parent}.upcasters" if parent else f"{package}.upcasters"
    if find_spec(name) is not None:
        import_module(name)
