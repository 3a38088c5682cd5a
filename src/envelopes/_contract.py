"""A contract at run time: its schema, compiled once when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from . import _json
from .validation import CompiledSchema, compile_schema


class Contract:
    """One subject at one version, with the compiled validator of its schema.

    `schema` is the generated file beside the value objects' module: `{"uri", "resources"}` in JSON.
    """

    def __init__(self, subject: str, version: int, schema: Path) -> None:
        self.subject, self.version, self.schema = subject, version, schema
        self.classes: dict[str, type[Any]] = {}
        """The value objects that hold a part of this contract, by its place in the schema."""
        self._parts: dict[str, CompiledSchema] = {}

    @cached_property
    def bundle(self) -> tuple[str, dict[str, Any]]:
        """The root schema's URI and every schema it reaches, by URI."""
        document = _json.loads(self.schema.read_bytes(), _json.MAX_DEPTH + 2)  # two around the schemas themselves
        return document["uri"], document["resources"]

    @cached_property
    def validator(self) -> CompiledSchema:
        """Validates a whole message."""
        return compile_schema(self.bundle[1], f"{self.bundle[0]}#")

    def validator_at(self, place: str) -> CompiledSchema:
        """Compile a part of the schema: at a JSON pointer, or at `URI#pointer` in another file."""
        if not place:
            return self.validator
        if place not in self._parts:
            uri, resources = self.bundle
            self._parts[place] = compile_schema(resources, place if "#" in place else f"{uri}#{place}")
        return self._parts[place]

    def __repr__(self) -> str:
        return f"<contract {self.subject} v{self.version}>"
