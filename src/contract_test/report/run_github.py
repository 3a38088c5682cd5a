"""A run as GitHub annotations: the worst ten, beside the recorded line that failed, and how many there are."""

from __future__ import annotations

from contract_test.data.result import Run
from contract_test.report.inert import workflow_data, workflow_property
from contract_test.report.kinds import Kind, kinds

_WORST = 10


def run_as_github(run: Run) -> str:
    """Return workflow commands, a line each; nothing for a green run."""
    found = kinds(run)
    told = [_annotation(run.service, problem) for problem in run.problems]
    told += [_of_kind(kind) for kind in found]
    if told:
        failed = sum(len(kind.messages) for kind in found)
        count = (
            f"{failed} failed messages, {len(told)} things to mend; the worst {min(len(told), _WORST)} are annotated"
        )
        told = [*told[:_WORST], _annotation(run.service, count)]
    return "".join(told)


def _of_kind(kind: Kind) -> str:
    text = "\n".join(filter(None, (kind.reason, kind.example, kind.affected, kind.failure.advice)))
    file, _, line = kind.messages[0].place.rpartition(":")
    where = f"file={workflow_property(file)},line={int(line)}," if file and line.isdecimal() else ""
    return f"::error {where}title={workflow_property(kind.title)}::{workflow_data(text)}\n"


def _annotation(service: str, text: str) -> str:
    return f"::error title={workflow_property(f'contracts of {service}')}::{workflow_data(text)}\n"
