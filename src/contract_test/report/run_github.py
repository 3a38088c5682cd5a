"""A run as GitHub annotations: the worst ten, beside the recorded line that failed, and how many there are."""

from __future__ import annotations

from contract_test.data.result import Run
from contract_test.report.inert import workflow_data, workflow_property
from contract_test.report.kinds import Kind, kinds

_WORST = 10


def run_as_github(run: Run) -> str:
    """Return workflow commands, a line each; nothing for a green run."""
    found = kinds(run)
    annotations = [_annotation(run.service, problem) for problem in run.problems]
    annotations += [_of_kind(kind) for kind in found]
    if annotations:
        failed = sum(len(kind.messages) for kind in found)
        shown = min(len(annotations), _WORST)
        count = f"{failed} failed messages, {len(annotations)} things to mend; the worst {shown} are annotated"
        annotations = [*annotations[:_WORST], _annotation(run.service, count)]
    return "".join(annotations)


def _of_kind(kind: Kind) -> str:
    text = "\n".join(filter(None, (kind.reason, kind.example, kind.affected, kind.failure.advice)))
    file, _, line = kind.messages[0].place.rpartition(":")
    where = f"file={workflow_property(file)},line={int(line)}," if file and line.isdecimal() else ""
    return f"::error {where}title={workflow_property(kind.title)}::{workflow_data(text)}\n"


def _annotation(service: str, text: str) -> str:
    return f"::error title={workflow_property(f'contracts of {service}')}::{workflow_data(text)}\n"
