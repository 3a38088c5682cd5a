"""Codecs and transports that other packages bring, by their entry points."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from ._errors import EnvelopesError

CODECS = "contract_test.codecs"
TRANSPORTS = "contract_test.transports"

Row = TypeVar("Row")


class PluginError(EnvelopesError):
    """A codec or a transport of another package cannot be used.

    Attributes:
        group: The group of the entry point.
        name: The name of the entry point.
        advice: What to do.
    """

    def __init__(self, group: str, name: str, problem: str, advice: str) -> None:
        self.group, self.name, self.problem, self.advice = group, name, problem, advice
        super().__init__(f"{problem}. {advice}")


class Plugins(dict[str, Row], Generic[Row]):
    """The built-in rows of a table by their names. Other names are loaded from entry points when they are asked for."""

    def __init__(self, group: str, attributes: tuple[str, ...], rows: dict[str, Row], names: Collection[str]) -> None:
        super().__init__(rows)
        self._group, self._attributes, self._builtin = group, attributes, frozenset(names)

    def __missing__(self, name: str) -> Row:
        found = entry_point(self._group, name, self._builtin)
        if found is None:
            raise KeyError(name)
        try:
            row = found.load()
        except Exception as error:
            raise PluginError(
                self._group,
                name,
                f"{_of(found)} cannot be loaded: {type(error).__name__}: {error}",
                "Correct the package, or uninstall it.",
            ) from error
        missing = [each for each in self._attributes if not hasattr(row, each)]
        if missing:
            raise PluginError(
                self._group,
                name,
                f"{_of(found)} has no {', '.join(missing)}",
                "See docs/extending.md for what it takes.",
            )
        self[name] = row
        checked: Row = row
        return checked


def entry_point(group: str, name: str, builtin: Collection[str]) -> EntryPoint | None:
    """Return the entry point of a name, without loading it. Raises PluginError if the name is taken twice."""
    found = [each for each in _entry_points(group) if each.name == name]
    if not found:
        return None
    if name in builtin:
        other = f"the one that is built in, and {_of(found[0])}"
    elif len({each.value for each in found}) > 1:
        other = f"{_of(found[0])}, and {_of(found[1])}"
    else:
        return found[0]
    raise PluginError(
        group, name, f"two entries of {group} are called {name!r}: {other}", "Rename or uninstall the package's."
    )


@cache
def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def _of(point: EntryPoint) -> str:
    package = "an unnamed package" if point.dist is None else point.dist.name
    return f"{point.name} = {point.value!r} of {package}"


def names_of(group: str) -> tuple[str, ...]:
    """Return the names that installed packages bring, without loading anything."""
    return tuple(sorted({each.name for each in _entry_points(group)}))


def missing_extra(name: str, package: str, extra: str) -> PluginError:
    """Return the error for a built-in whose package is not installed."""
    return PluginError(
        CODECS, name, f"the codec {name} needs the package {package}", f"Install contract-test[{extra}]."
    )
