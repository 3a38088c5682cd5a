"""The end of a run: its result, its exit code, its files and its summary."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from shutil import get_terminal_size

import pytest

from contract_test.data.durations import parse_duration
from contract_test.data.errors import CatalogError, ReportError
from contract_test.data.result import Run, Upcast
from contract_test.files.revision import revision_of
from contract_test.pytest_plugin.narrowing import is_asked_for, is_share, narrowed, why_whole
from contract_test.pytest_plugin.tracking import Tracker
from contract_test.replay.completeness import Scope
from contract_test.replay.conclusion import Limits, conclude, is_whole, write_what_was_read
from contract_test.replay.results import ResultCollector
from contract_test.replay.service import Service
from contract_test.replay.share_files import FILE, RunShare, content_of, write_share
from contract_test.report.run_files import report_paths, write_reports
from contract_test.report.run_github import run_as_github
from contract_test.report.summary import failure_lines, summary_lines, survivor_lines

MIN_COLUMNS = 80
"""As many columns as are taken for granted where no terminal says how many there are."""


class Ending:
    """Concludes a run from what the `tracker` saw and the `collector` holds. `own_notes` returns more lines to show.

    Raises CatalogError or ReportError where an option cannot be read.
    """

    def __init__(
        self,
        config: pytest.Config,
        service: Service,
        tracker: Tracker,
        collector: ResultCollector,
        own_notes: Callable[[], list[str]],
    ) -> None:
        self._own_notes = own_notes
        self._config, self._service, self._tracker, self._collector = config, service, tracker, collector
        here = config.invocation_params.dir
        readers, results = config.getoption("--contracts-readers"), config.getoption("--contracts-results")
        self._readers_folder = here / readers if readers else None
        self._results = here / results if results else service.own_folder / FILE if is_share(config) else None
        self._max_age = _max_age(config.getoption("--contracts-max-age"))
        self._reports = report_paths(here, config.getoption("--contracts-report"))
        self._run: Run | None = None

    def _scope(self) -> Scope:
        config = self._config
        bulk = config.getoption("--contracts-bulk")
        generated = not bulk and not config.getoption("--contracts-only-recorded")
        narrow = narrowed(config)
        return Scope(
            optional=narrow and not is_asked_for(config),
            narrowed=narrow or is_share(config) or config.getoption("collectonly"),
            collect_only=config.getoption("collectonly"),
            deliveries=not bulk,
            generated=generated and config.getoption("--contracts-generated") > 0,
        )

    def _result(self) -> Run:
        """What was found so far."""
        config, share = self._config, is_share(self._config)
        limits = Limits(
            "" if share else why_whole(config),
            config.getoption("--contracts-strict") or self._service.settings.strict,
            None if share else config.getoption("--contracts-min-coverage"),
            None if share else config.getoption("--contracts-min-strength"),
            self._max_age,
        )
        run = conclude(self._service, self._collector, self._tracker.selection, self._scope(), limits)
        return replace(run, notes=(*run.notes, *self._own_notes()))

    def finish(self, session: pytest.Session) -> None:
        """Fail a run that proved nothing, or left an operation out."""
        run = self._result()
        selection, scope = self._tracker.selection, self._scope()
        try:
            if self._reports:
                run = replace(run, revision=revision_of(self._service.home), upcasts=self._upcasts())
            write_reports(run, self._reports)
            if self._results is not None:
                share = RunShare(
                    run.service, content_of(self._service.replay), scope, selection, self._collector.item_reports
                )
                write_share(self._results, share)
        except (CatalogError, ReportError, OSError) as error:
            run = replace(run, problems=(*run.problems, str(error)))
        self._run = run
        self.keep_red(session)
        if is_whole(run, selection, scope):
            write_what_was_read(self._service, run, self._readers_folder)

    def _upcasts(self) -> tuple[Upcast, ...]:
        from contract_test.compat.upcasts import tried_upcasters

        replay = self._service.replay
        return tried_upcasters(replay.catalog, replay.service, self._service.settings.package)

    def keep_red(self, session: pytest.Session) -> None:
        """Let a run fail whose contract tests failed, whatever other plugins and hooks make of their outcomes."""
        run = self._run
        failed = run is not None and (run.problems or any(len(each.failed) > each.accepted for each in run.operations))
        if failed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Show the table, and what is missing."""
        reporter.section(f"contracts of {self._service.replay.service}")
        run = self._run or self._result()  # known already, unless the session did not come to its end
        if run.partial:
            reporter.line(run.partial, yellow=True)
        columns = get_terminal_size((0, 0)).columns
        width = (
            columns if reporter.isatty or columns < MIN_COLUMNS else 0
        )  # in a pipe only where somebody asks for less
        for line in (*summary_lines(run, width), *survivor_lines(run), *failure_lines(run)):
            reporter.line(line)
        for note in run.notes:
            reporter.line(note, yellow=True)
        for problem in run.problems:
            reporter.line(problem, red=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            reporter.write(run_as_github(run))


def _max_age(text: str) -> timedelta:
    """Read the option. Raises CatalogError that shows how to write it."""
    age = parse_duration(text)
    if age is None:
        raise CatalogError(f"--contracts-max-age {text!r} is not a time", advice="Write it as 90d or 12h.")
    return age
