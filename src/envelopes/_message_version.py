"""Which version of its subject a message has."""

from __future__ import annotations

import logging
import re
from typing import Any

from ._errors import DecodeError, Violation
from .catalog import Catalog, Subject
from .codecs import Context
from .pointers import resolve_pointer

log = logging.getLogger("envelopes")

_SEMANTIC_VERSION = re.compile(r"v?([0-9]{1,9})(?:\.[0-9]{1,9}){1,2}")
_VERSION_AT_THE_END = re.compile(r"(?:.*[:/._-])?v?([0-9]{1,9})", re.DOTALL)


def declared_version(subject: Subject, context: Context, data: Any) -> int | None:
    """Return the version that a message names: by its `dataschema`, a schema id, or a pointer of the catalog."""
    if context.dataschema is not None and (family := subject.dataschema_family) is not None:
        version = family.version_of(context.dataschema)  # one that the catalog knows is found in `Catalog.declared`
        if version is not None:
            return version
    if context.schema_id is not None:
        return next((version for version, number in subject.schema_ids.items() if number == context.schema_id), None)
    if subject.version is None:
        return None
    version = resolve_pointer(data, subject.version)
    if isinstance(version, str) and (
        match := _SEMANTIC_VERSION.fullmatch(version) or _VERSION_AT_THE_END.fullmatch(version)
    ):
        return int(match[1])
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def matching_version(catalog: Catalog, subject: Subject, data: Any) -> int:
    """Return the newest version that accepts the data of a message that names none, or else the newest."""
    if len(subject.versions) == 1:
        return next(iter(subject.versions))
    newest_first = sorted(subject.versions, reverse=True)
    for version in newest_first:
        if catalog.value_object(subject.name, version).__contract__.validator.is_valid(data):
            return version
    return newest_first[0]


def known_version(subject: Subject, version: int, raw: bytes) -> int:
    """Return the newest version for a message of a newer one. Raises DecodeError for one that never existed."""
    newest = max(subject.versions)
    if version < newest:
        known = ", ".join(f"v{number}" for number in sorted(subject.versions))
        raise DecodeError(subject.name, version, Violation("", "version", f"one of {known}", f"v{version}"), raw)
    log.warning("%s v%d is newer than this package knows: read as v%d", subject.name, version, newest)
    return newest
