"""A run as GitHub annotations: the worst ten, beside the value that failed in its recording."""

from __future__ import annotations

from pathlib import Path

from contract_test.data.result import Run
from contract_test.data.texts import counted
from contract_test.files.positions import position_in_line
from contract_test.report.inert import workflow_command
from contract_test.report.kinds import Kind, kinds
from contract_test.report.workspace import in_workspace

_WORST = 10


def run_as_github(run: Run) -> str:
    """Return workflow commands, a line each; nothing for a green run. More than ten begin with a summary.

    Recordings are read for the columns.
    """
    found = [kind for kind in kinds(run) if not kind.accepted]
    annotations = [_annotation(run.service, problem) for problem in run.problems]
    annotations += [_of_kind(kind) for kind in found]
    if len(annotations) > _WORST:
        failed = counted(sum(len(kind.messages) for kind in found), "failed message")
        count = f"{failed}, {len(annotations)} things to mend; the worst {_WORST} are annotated"
        annotations = [_annotation(run.service, count), *annotations[:_WORST]]
    return "".join(annotations)


def _of_kind(kind: Kind) -> str:
    text = "\n".join(filter(None, (kind.reason, kind.example, kind.affected, kind.failure.advice)))
    first = kind.messages[0]
    file, _, line = first.place.rpartition(":")
    place = {}
    if file and line.isdecimal():
        where = position_in_line(Path(file), int(line), f"{first.data_pointer}{kind.failure.pointer}")
        place = {"file": in_workspace(file), "line": str(where.line), "col": str(where.column)}
    return workflow_command("error", text, **place, title=kind.title)


def _annotation(service: str, text: str) -> str:
    return workflow_command("error", text, title=f"contracts of {service}")
