"""The table of who reads what: one function and one row a format."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from contract_test.data.texts import printable
from contract_test.replay.observed_readers import ReadersTable
from contract_test.report.inert import json_escaped, log_line

FORMAT = 1


def as_text(subject: str, tables: Sequence[ReadersTable]) -> str:
    """Return a line a field and a column a service."""
    del subject
    made = []
    for table in tables:
        lines = [(table.contract, *table.services), *((pointer, *cells) for pointer, cells in table.rows)]
        widths = [max(len(printable(line[column])) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            cells = (printable(cell).ljust(width) for cell, width in zip(line, widths, strict=True))
            made.append(log_line("  ".join(cells).rstrip()))
        made.append("")
    return "\n".join(made)


def as_json(subject: str, tables: Sequence[ReadersTable]) -> str:
    """Return `{"format": 1, "subject", "contracts": [{"contract", "fields": {pointer: {service: words}}}]}`."""
    contracts = [
        {
            "contract": table.contract,
            "fields": {pointer: dict(zip(table.services, cells, strict=True)) for pointer, cells in table.rows},
        }
        for table in tables
    ]
    return json_escaped(json.dumps({"format": FORMAT, "subject": subject, "contracts": contracts}, indent=2)) + "\n"


FORMATS: dict[str, Callable[[str, Sequence[ReadersTable]], str]] = {"text": as_text, "json": as_json}
