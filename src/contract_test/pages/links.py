"""The addresses of pages within a site, so that whatever shows a subject or a service can link to its page."""

from __future__ import annotations

import re
from hashlib import sha256

_PLAIN = re.compile(r"(?!.*\.\.)[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9-]+")


def file_name(name: str) -> str:
    """Return a name as a part of a path: the same if it is plain, else made plain, with a digest to tell it apart.

    It never depends on how a file system takes upper case or Unicode.
    """
    if _PLAIN.fullmatch(name):
        return name
    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:10]
    return f"{_OTHER.sub('_', name.lower())[:60].strip('_')}-{digest}"


def service_page(name: str) -> str:
    """Return the page of a service."""
    return f"services/{file_name(name)}.html"


def channel_page(name: str) -> str:
    """Return the page of a channel."""
    return f"channels/{file_name(name)}.html"


def owner_page(name: str) -> str:
    """Return the page of an owner."""
    return f"people/{file_name(name)}.html"


def domain_page(name: str) -> str:
    """Return the page of a domain."""
    return f"domains/{file_name(name)}.html"


def subject_page(name: str) -> str:
    """Return the page of a subject."""
    return f"subjects/{file_name(name)}/index.html"


def version_page(subject: str, version: int) -> str:
    """Return the page of a version."""
    return f"subjects/{file_name(subject)}/v{version}.html"


def pair_page(subject: str, one: int, other: int) -> str:
    """Return the page of two versions."""
    return f"subjects/{file_name(subject)}/v{min(one, other)}-v{max(one, other)}.html"


def fields_page(subject: str, number: int = 1) -> str:
    """Return a page of the fields of a subject."""
    return f"subjects/{file_name(subject)}/{numbered('fields', number)}"


def numbered(name: str, number: int) -> str:
    """Return the file of one page of several: `findings.html`, `findings-2.html`."""
    return f"{name}.html" if number == 1 else f"{name}-{number}.html"


def field_anchor(pointer: str) -> str:
    """Return the id of a field on its page."""
    dotted = pointer[1:].replace("/", ".")
    return f"f-{dotted if '.' not in pointer and _PLAIN.fullmatch(dotted) else file_name(pointer)}"
