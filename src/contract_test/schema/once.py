"""Work on a schema document that is done once, however many contracts refer to the document."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

_Result = TypeVar("_Result")
_Others = ParamSpec("_Others")
MAX_DOCUMENTS = 256


class _Same:
    """A document that is equal to nothing but itself; nobody changes it."""

    __slots__ = ("document",)

    def __init__(self, document: Any) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.document is other.document

    def __hash__(self) -> int:
        return id(self.document)


def once_per_document(
    function: Callable[Concatenate[Any, _Others], _Result],
) -> Callable[Concatenate[Any, _Others], _Result]:
    """Keep what a function makes of a document, its first argument, and of the others, which can be hashed."""

    @lru_cache(MAX_DOCUMENTS)
    def kept(same: _Same, *others: Any) -> _Result:
        return function(same.document, *others)  # type: ignore[call-arg]  # they are those of `called`

    def called(document: Any, *others: Any) -> _Result:
        return kept(_Same(document), *others)

    return called  # type: ignore[return-value]  # keyword arguments are of no use here
