"""`contract-test merge-results`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, max_age_option, note
from contract_test.compat.upcasts import tried_upcasters
from contract_test.data.texts import counted
from contract_test.files.revision import revision_of
from contract_test.files.settings import read_settings
from contract_test.replay.conclusion import Limits, conclude, is_whole, write_what_was_read
from contract_test.replay.results import ResultCollector
from contract_test.replay.service import open_service
from contract_test.replay.share_files import merge_shares
from contract_test.report.run_files import report_paths, write_reports
from contract_test.report.run_json import run_as_json
from contract_test.report.summary import failure_lines, summary_lines, survivor_lines

_PERCENT = click.FloatRange(0, 100)


@click.command("merge-results")
@click.argument("files", nargs=-1, required=True, metavar="FILES...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--contracts",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The contracts directory.  [default: as in pyproject.toml]",
)
@click.option("--service", "name", metavar="NAME", help="The service, if the settings are those of several.")
@click.option(
    "--min-coverage", type=_PERCENT, metavar="PERCENT", help="Fail if less of a consumed contract was replayed."
)
@click.option("--min-strength", type=_PERCENT, metavar="PERCENT", help="Fail if the tests of an operation notice less.")
@max_age_option("180d")
@click.option(
    "--readers",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write which fields the service reads.  [default: .contract-test/readers]",
)
@click.option("--report", multiple=True, metavar="FILE", help="Write NAME.html or NAME.json. May be given for both.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    files: tuple[Path, ...],
    contracts: Path | None,
    name: str | None,
    min_coverage: float | None,
    min_strength: float | None,
    max_age: timedelta | None,
    readers: Path | None,
    report: tuple[str, ...],
    form: str,
) -> int:
    """Add up the results of `pytest --contracts` in several jobs.

    Each job runs `pytest --contracts --contracts-partial --contracts-results FILE`. FILES are these files, or folders
    of them. Run this command in the folder of the service. It exits with 1 if a message failed, or if no job ran an
    operation, a version or a message that the service has to verify.
    """
    service = open_service(*read_settings(Path.cwd(), name), contracts, "--contracts")
    paths = report_paths(Path.cwd(), report)
    whole, collector = merge_shares(files, service.replay), ResultCollector()
    collector.add(whole.results)
    limits = Limits("", service.settings.strict, min_coverage, min_strength, max_age)
    run = conclude(service, collector, whole.selection, whole.scope, limits)
    if paths or form == "json":
        upcasts = tried_upcasters(service.replay.catalog, service.replay.service, service.settings.package)
        run = replace(run, revision=revision_of(Path.cwd()), upcasts=upcasts)
    write_reports(run, paths)
    if is_whole(run, whole.selection, whole.scope):
        write_what_was_read(service, run, readers)
    failed = sum(each.count("failed") - each.accepted for each in run.operations)
    if form == "json":
        click.echo(run_as_json(run), nl=False)
    else:
        for line in (*summary_lines(run), *survivor_lines(run), *failure_lines(run), *run.notes, *run.problems):
            click.echo(line)
    note(f"{counted(len(files), 'result')} merged, {counted(failed, 'failed message')}")
    return FINDINGS if failed or run.problems else CLEAN
