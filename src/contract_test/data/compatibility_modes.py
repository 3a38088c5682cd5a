"""Which versions are compared with which.

The compatibility modes of a schema registry. Pairs first, comparing after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from contract_test.data.errors import UnknownModeError

Version = TypeVar("Version")


@dataclass(frozen=True, slots=True)
class Pair(Generic[Version]):
    """What `writer` sends must be readable by `reader`.

    `direction` is "BACKWARD" where the reader is the newer one.
    """

    writer: Version
    reader: Version
    direction: str


_DIRECTIONS: dict[str, tuple[str, ...]] = {
    "NONE": (),
    "BACKWARD": ("BACKWARD",),
    "FORWARD": ("FORWARD",),
    "FULL": ("BACKWARD", "FORWARD"),
}
_TRANSITIVE = "_TRANSITIVE"
MODES = ("NONE", *(mode + suffix for mode in ("BACKWARD", "FORWARD", "FULL") for suffix in ("", _TRANSITIVE)))


def stricter(one: str, other: str) -> str:
    """Return the mode that asks for everything that one of two modes asks for."""
    directions = {*_DIRECTIONS[one.removesuffix(_TRANSITIVE)], *_DIRECTIONS[other.removesuffix(_TRANSITIVE)]}
    name = next(mode for mode, asked in _DIRECTIONS.items() if set(asked) == directions)
    is_transitive = one.endswith(_TRANSITIVE) or other.endswith(_TRANSITIVE)
    return name + (_TRANSITIVE if is_transitive else "")


def pairs_for(mode: str, versions: Sequence[Version]) -> tuple[Pair[Version], ...]:
    """Return the pairs that a mode asks about, for versions in the order in which they were registered.

    A plain mode compares each version with the one before it, so that one broken step in a history is found
    even where it is not the last. A `_TRANSITIVE` mode compares each with every earlier one.

    Raises `UnknownModeError` for a mode that does not exist.
    """
    if mode not in MODES:
        raise UnknownModeError(mode, MODES)
    directions = _DIRECTIONS[mode.removesuffix(_TRANSITIVE)]
    pairs: list[Pair[Version]] = []
    for at, newer in enumerate(versions):
        earlier = versions[:at] if mode.endswith(_TRANSITIVE) else versions[max(at - 1, 0) : at]
        for older in earlier:
            for direction in directions:
                writer, reader = (older, newer) if direction == "BACKWARD" else (newer, older)
                pairs.append(Pair(writer, reader, direction))
    return tuple(pairs)
