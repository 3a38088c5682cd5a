"""What users can tell `infer` about fields, as options."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from contract_test.infer import DeclaredFields

_OPTIONS = (
    ("required", "required", "This field is in all messages, though few were seen."),
    ("as-seen", "as_seen", "This field, and all in it, is always as it was seen: required, never null, of its format."),
    ("enum", "enums", "This field is an enum, such as /status or /items/*/unit."),
    ("map", "maps", "This object is a map, such as /likes: its names are data."),
    ("object", "objects", "This object is no map: its names are fields."),
    ("tag", "tags", "The value of this field determines which other fields there are, such as /payload/kind."),
    ("field", "fields", "The name at the end is that of a field, though it looks like data."),
)


def field_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for fields, as one `declared: DeclaredFields`."""

    @wraps(command)
    def with_fields(**given: Any) -> Any:
        named = {name: frozenset(given.pop(name)) for _, name, _ in _OPTIONS}
        return command(declared=DeclaredFields(**named), **given)

    for option, name, text in reversed(_OPTIONS):
        with_fields = click.option(f"--{option}", name, multiple=True, metavar="POINTER", help=text)(with_fields)
    return with_fields


def option_pointers(declared: DeclaredFields) -> list[tuple[str, str]]:
    """Return each option with each pointer that was given to it."""
    return [(f"--{option}", pointer) for option, name, _ in _OPTIONS for pointer in sorted(getattr(declared, name))]
