"""Reports of a run as files: the name's ending says which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from contract_test.data.errors import ReportError
from contract_test.data.result import Run
from contract_test.report.run_json import run_as_json


def _html(run: Run) -> str:
    from contract_test.report.run_html import run_as_html

    return run_as_html(run)


_FORMATS: dict[str, Callable[[Run], str]] = {".html": _html, ".json": run_as_json}


def report_paths(here: Path, names: Iterable[str]) -> list[Path]:
    """Return where the reports go. Raises ReportError for an ending that says nothing."""
    paths = [here / name for name in names]
    for path in paths:
        if path.suffix not in _FORMATS:
            advice = f"Let its name end in {' or '.join(_FORMATS)}."
            raise ReportError(f"{path.name} is no report that can be written", advice=advice)
    return paths


def write_reports(run: Run, paths: Sequence[Path]) -> None:
    """Write the files, with the folders that they stand in. Raises ReportError where one cannot be written."""
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_FORMATS[path.suffix](run), encoding="utf-8")
        except OSError as error:
            advice = "Name a file in a folder that can be written, with --contracts-report."
            raise ReportError(f"cannot be written: {error.strerror}", place=str(path), advice=advice) from None
