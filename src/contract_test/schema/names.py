"""Python names for what JSON calls by any text."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Container

MAX_IDENTIFIER_LENGTH = 60


def identifier(text: str, fallback: str) -> str:
    """Return a public Python identifier near a text.

    `class` → `class_`, `2fa` → `field_2fa`, `first name` → `first_name`.
    """
    letters = unicodedata.normalize("NFKC", text)[:MAX_IDENTIFIER_LENGTH]
    name = "".join(letter if f"a{letter}".isidentifier() else "_" for letter in letters).strip("_")
    if not name:
        return fallback
    if not name.isidentifier():
        name = f"{fallback}_{name}"
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name


def class_identifier(text: str) -> str:
    """Return a class's name near a text: `postal address` → `PostalAddress`; empty where no letter is left."""
    letters = unicodedata.normalize("NFKC", text)[:MAX_IDENTIFIER_LENGTH]
    spaced = "".join(letter if f"a{letter}".isidentifier() and letter != "_" else " " for letter in letters)
    name = "".join(word[:1].upper() + word[1:] for word in spaced.split())
    return name if name.isidentifier() and not keyword.iskeyword(name) else ""


def unused(name: str, taken: Container[str], separator: str = "_") -> str:
    """Return the name, or the first of `name_2`, `name_3` … that is not taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}{separator}{number}", number + 1
    return candidate


def literal(value: object) -> str:
    """Return a plain value as Python source, in double quotes where that needs no escape."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + "".join(f"{literal(item)}, " for item in value).rstrip() + ")"
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and text[0] == "'" and '"' not in text else text
