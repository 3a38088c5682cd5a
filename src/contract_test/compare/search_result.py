"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """Some values of a set.

    `complete` says that the set holds no others; `values` may hold a few too many.
    """

    values: list[Any]
    complete: bool

    @property
    def is_empty(self) -> bool:
        """Whether the set is proved to be empty."""
        return self.complete and not self.values


EMPTY = Found([], complete=True)
UNKNOWN = Found([], complete=False)
