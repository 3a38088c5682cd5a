"""The files of an AsyncAPI document, and what their references lead to: never outside one directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from contract_test.data.errors import DocumentError
from contract_test.files.yaml_documents import read_document
from contract_test.schema.bundle import value_at
from contract_test.schema.walk import escape

MAX_REFERENCES = 50
"""So many references may lead from one to the next."""


class Place(NamedTuple):
    """A JSON pointer into a file."""

    path: Path
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.pointer}" if self.pointer else str(self.path)

    def below(self, *steps: str | int) -> Place:
        """Return the place at a path below."""
        return Place(self.path, self.pointer + "".join(f"/{escape(str(step))}" for step in steps))


@dataclass(frozen=True)
class Located:
    """A value with its place."""

    value: Any
    place: Place

    def get(self, *steps: str | int) -> Any:
        """Return the value at a path below, or None."""
        value = self.value
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def text(self, *steps: str | int) -> str:
        """Return the text at a path below; empty if there is none."""
        found = self.get(*steps)
        return found if isinstance(found, str) else ""

    def refused(self, problem: str, advice: str) -> DocumentError:
        """Return the error for this place."""
        return DocumentError(problem, place=str(self.place), advice=advice)


class Documents:
    """The files below one directory, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[Path, Any] = {}

    def whole(self, path: Path) -> Located:
        """Return the contents of a file. Raises DocumentError or SchemaError."""
        if path not in self._read:
            self._read[path] = read_document(path)
        return Located(self._read[path], Place(path))

    def member(self, around: Located, *steps: str | int) -> Located:
        """Return what is at a path, through references on the way. Its value is None if there is nothing."""
        found = self.resolved(around)
        for step in steps:
            below = found.value
            if isinstance(below, list) and isinstance(step, int) and step < len(below):
                below = below[step]
            else:
                below = below.get(step) if isinstance(below, dict) else None
            found = self.resolved(Located(below, found.place.below(step)))
        return found

    def members(self, around: Located, *steps: str | int) -> list[tuple[str | int, Located]]:
        """Return the members of the object or the list at a path, with their names, through references."""
        found = self.member(around, *steps)
        names = range(len(found.value)) if isinstance(found.value, list) else found.value
        return [(name, self.member(found, name)) for name in names] if isinstance(found.value, dict | list) else []

    def resolved(self, found: Located) -> Located:
        """Return what the references at a place lead to. Raises DocumentError with the place of the reference."""
        return self._followed(found, lambda value: isinstance(value.get("$ref"), str))

    def schema(self, found: Located) -> Located:
        """Return what a schema that is only a reference leads to. Beside other keywords, a reference is one of them."""
        return self._followed(found, lambda value: value.keys() == {"$ref"})

    def _followed(self, start: Located, is_reference: Callable[[dict[str, Any]], bool]) -> Located:
        found = start
        for _ in range(MAX_REFERENCES):
            if not (isinstance(found.value, dict) and is_reference(found.value)):
                return found
            found = self.target(found, str(found.value["$ref"]))
        raise start.refused("references that lead to each other, or too many", "Refer to the value itself.")

    def target(self, at: Located, reference: str) -> Located:
        """Return what one reference leads to. Raises DocumentError."""
        file, _, fragment = reference.partition("#")
        shown = reference[:100]
        if urlsplit(file).scheme or file.startswith(("/", "\\")):
            advice = "Put a copy beside the document, and refer to it by a relative path."
            raise at.refused(f"$ref to {shown!r}, and nothing is read from elsewhere", advice)
        path = at.place.path.parent / unquote(file) if file else at.place.path
        if "\0" in str(path) or not path.resolve().is_relative_to(self.root.resolve()):
            advice = f"Put the file below {self.root}, or name a directory with both files in place of the document."
            raise at.refused(f"$ref to {shown!r}, which is outside {self.root}", advice)
        if not path.is_file():
            raise at.refused(f"$ref to {shown!r} finds no file", "Correct the path, or add the file.")
        whole = self.whole(Path(*path.parts) if ".." not in path.parts else self._inside(path))
        pointer = unquote(fragment)
        value = value_at(whole.value, pointer)
        if value is None or (pointer and not pointer.startswith("/")):
            raise at.refused(f"$ref {shown!r} leads nowhere", "Point it at a place that exists.")
        return Located(value, Place(whole.place.path, pointer))

    def _inside(self, path: Path) -> Path:
        return self.root / path.resolve().relative_to(self.root.resolve())
