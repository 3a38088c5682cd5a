"""Affected: whom an incompatibility hurts, as far as replays showed who reads what."""

from __future__ import annotations

from collections.abc import Iterator

from contract_test.data.verdict import Incompatibility
from contract_test.schema.bundle import follow, schema_around
from contract_test.schema.fields import fields_of
from contract_test.schema.walk import escape
from contract_test.use_cases.readers import told
from contract_test.use_cases.sides import Side


def affected(reader: Side, writer: Side, reason: Incompatibility) -> Iterator[str]:
    """A line for each field that an incompatibility concerns, where it is known who reads the reader's version of it.

    Where nobody was replayed against that version yet, what is read of the writer's counts.
    """
    known = reader.readers or writer.readers
    if not known:
        return
    for pointer in _pointers(reader, reason):
        words = {each.service: told(each, pointer) for each in known}
        hurt = [
            f"{service}, which {word.replace(',', ' it', 1)}" for service, word in words.items() if "reads," in word
        ]
        rest = [f"{service} {word} it" for service, word in words.items() if "reads," not in word]
        yield f"{pointer}: " + "; ".join([*([f"breaks {' and '.join(hurt)}"] if hurt else []), *rest])


def _pointers(reader: Side, reason: Incompatibility) -> list[str]:
    uri, inside = reader.bundle.file_of(reason.reader_pointer)
    uri, inside = follow(reader.contract.resources, uri or reader.contract.uri, inside)
    inside = schema_around(reader.contract.resources[uri], inside)
    fields = fields_of(reader.contract.resources, reader.contract.uri)
    missing = reason.after if reason.rule == "required-property-added" and isinstance(reason.after, str) else None
    found = fields.pointers_of(uri, inside)
    return [pointer if missing is None else f"{pointer}/{escape(missing)}" for pointer in found]
