"""What the commands of a registry say, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from contract_test.data.finding import Report
from contract_test.data.texts import inert
from contract_test.files.positions import with_positions
from contract_test.registry.result import RegistryResult, Step
from contract_test.report.formats import FORMATS
from contract_test.report.formats.json import as_json
from contract_test.report.formats.text import as_text


def report_of(result: RegistryResult) -> Report:
    """Return the findings of a result, for every format."""
    return Report(result.command, with_positions(result.findings), notes=result.notes)


def result_as_text(result: RegistryResult) -> str:
    """Return a line for each version, then the findings."""
    rows = [(each.contract or "-", f"as {each.subject}", _status(each)) for each in result.steps]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {subject:<{widths[1]}}  {status}\n" for name, subject, status in rows]
    return inert("".join(lines)) + as_text(report_of(result))


def _status(step: Step) -> str:
    number = f"version {step.version}, id {step.id}" if step.id is not None else ""
    if step.status == "new" and step.id is None:
        number = "the registry gives the id"
    mode = f"mode {step.mode} → {step.new_mode}" if step.new_mode else f"mode {step.mode}" if step.mode else ""
    return f"{step.status}: {', '.join(filter(None, (number, mode, step.note)))}"


def result_as_json(result: RegistryResult) -> str:
    """Return the findings as of every command, with the registry's address and the steps."""
    document = json.loads(as_json(report_of(result)))
    document |= {"registry": result.registry, "steps": [asdict(each) for each in result.steps]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


RESULTS: dict[str, Callable[[RegistryResult], str]] = {
    **{name: lambda result, render=render: render(report_of(result)) for name, render in FORMATS.items()},  # type: ignore[misc] # a default binds the row's function
    "text": result_as_text,
    "json": result_as_json,
}
