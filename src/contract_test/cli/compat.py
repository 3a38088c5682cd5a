"""`contract-test compat`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from contract_test.cli.progress import with_progress
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note, package_name
from contract_test.compare import MODES
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import ContentModel, Plan, plan_against, plan_files, plan_subjects
from contract_test.data.finding import Finding
from contract_test.data.texts import counted, listed
from contract_test.files.settings import read_package
from contract_test.report.formats import FORMATS

MAX_BUDGET = 3600.0


@click.command("compat")
@click.argument("what", nargs=-1, metavar="[SUBJECT | OLD.json NEW.json]")
@contracts_option
@format_option
@click.option(
    "--mode",
    type=click.Choice([mode for mode in MODES if mode != "NONE"]),
    help="Use this mode instead of each subject's own. The default for two files is BACKWARD.",
)
@click.option("--against", metavar="GIT-REF", help="Compare with the contracts at a git ref, such as main.")
@click.option(
    "--content-model",
    type=click.Choice(get_args(ContentModel)),
    default="closed-writer",
    show_default=True,
    help="Whether a writer sends only the fields that it declares.",
)
@click.option(
    "--package",
    metavar="NAME",
    help="The package whose upcasters are tried.  [default: as in pyproject.toml]",
)
@click.option(
    "--budget",
    type=click.FloatRange(0, MAX_BUDGET, min_open=True),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Processor time for one pair. After that, the result is unknown.",
)
def command(
    what: tuple[str, ...],
    contracts: Path,
    form: str,
    mode: str | None,
    against: str | None,
    content_model: ContentModel,
    budget: float,
    package: str | None,
) -> int:
    """Check whether versions can be used side by side.

    Compares the versions of every subject, of one SUBJECT, or two files. A finding shows a message that the writer may
    send and the reader rejects, if possible a recorded one. The exit code is 1 if there are findings. "unknown" is a
    finding, and a warning is not.
    """
    package = package or read_package(contracts.resolve().parent)
    if package is not None:
        package_name(package)
    plan = _plan(what, contracts, mode, against)
    findings = list(plan.findings)
    statuses: Counter[str] = Counter()
    for outcome in with_progress(
        compare_pairs(plan.pairs, content_model, budget, package), len(plan.pairs), "Comparing"
    ):
        statuses[outcome.status] += 1
        findings += outcome.findings
        if outcome.note:
            plan.notes.append(outcome.note)
    unique = list(
        {(each.place, each.rule, each.direction, each.sentence, each.details): each for each in findings}.values()
    )
    click.echo(FORMATS[form](unique), nl=False)
    _summary(plan, statuses, unique, against)
    return FINDINGS if any(each.severity == "error" for each in unique) else CLEAN


def _plan(what: Sequence[str], contracts: Path, mode: str | None, against: str | None) -> Plan:
    files = [name.endswith(".json") or Path(name).is_file() for name in what]
    if len(what) == 2 and all(files):  # noqa: PLR2004 - OLD.json and NEW.json
        if against is not None:
            raise click.UsageError("--against compares a contracts directory, not two files.")
        return plan_files(Path(what[0]), Path(what[1]), mode or "BACKWARD", contracts)
    if len(what) > 1 or (what and what[0].endswith(".json")):
        raise click.UsageError(f"Name nothing, one subject, or two files OLD.json NEW.json; got {' '.join(what)}.")
    subject = what[0] if what else None
    if against is not None:
        return plan_against(contracts, against, subject, mode)
    return plan_subjects(contracts, subject, mode)


def _summary(plan: Plan, statuses: Counter[str], findings: Sequence[Finding], against: str | None) -> None:
    for line in plan.notes:
        note(line)
    if plan.single:
        note(f"nothing to compare with, one version only: {listed(plan.single)}")
    if plan.unchanged:
        note(f"unchanged since {against}: {listed(plan.unchanged)}")
    if plan.not_compared:
        note(f"not compared, the mode is NONE: {listed(plan.not_compared)}")
    pairs = statuses.total()
    counts = ", ".join(f"{statuses[status]} {status}" for status in ("compatible", "incompatible", "unknown"))
    if statuses["migrated"]:
        counts += f", {statuses['migrated']} kept by migration"
    note(f"{counted(pairs, 'pair')} compared: {counts}; {counted(len(findings), 'finding')}")
