"""`contract-test compat`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from contract_test.cli.progress import with_progress
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note, package_name
from contract_test.compare import MODES, RULES
from contract_test.compat.findings import OWN_RULES
from contract_test.compat.owners import with_owners
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import Plan, plan_against, plan_files, plan_subjects
from contract_test.compat.undeclared_fields import ContentModel
from contract_test.data.finding import Finding, Report
from contract_test.data.texts import counted, is_web_address, listed
from contract_test.data.verdict import ComparedPair
from contract_test.files.accepted import FILE, append_accepted, read_accepted, with_accepted
from contract_test.files.positions import with_positions
from contract_test.files.proof_cache import user_cache
from contract_test.files.settings import read_package
from contract_test.report.causes import causes_of
from contract_test.report.formats import FORMATS

MAX_BUDGET = 3600.0


@click.command("accept")
@click.argument("finding")
@contracts_option
@click.option("--reason", metavar="TEXT", required=True, help="Why the break is intended.")
@click.option(
    "--until",
    metavar="DATE",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day on which it is accepted, such as 2027-03-31.",
)
def accept(finding: str, contracts: Path, reason: str, until: datetime) -> int:
    """Accept a finding of compat until a date.

    FINDING is the id that --format json shows. It is written to contracts/accepted.toml.
    The finding stays in every report as accepted, and is an error again after the date.
    """
    rule = finding.partition(":")[0]
    if rule not in RULES and rule not in OWN_RULES:
        raise click.UsageError(f"{finding!r} is no id of a finding. An id begins with a rule, such as type-changed.")
    added = append_accepted(contracts, "compat", [(finding, until.date())], reason)
    note(
        f"{counted(added, 'finding')} added to {contracts / FILE}" if added else f"it is in {contracts / FILE} already"
    )
    return CLEAN


class _Compat(click.Command):
    """`compat`, whose first argument may be `accept`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["accept"]:
            return accept.make_context(f"{info_name} accept", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("compat", cls=_Compat)
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
    "--site",
    metavar="URL",
    help="With --format markdown, link to the pages of a site that contract-test site wrote.",
)
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
    site: str | None,
    content_model: ContentModel,
    budget: float,
    package: str | None,
) -> int:
    """Check whether versions can be used side by side.

    Compares the versions of every subject, of one SUBJECT, or two files. A finding shows a message that the writer may
    send and the reader rejects, if possible a recorded one. The exit code is 1 if there are findings. "unknown" is a
    finding, and a warning is not. An intended break can be accepted: see `contract-test compat accept --help`.
    """
    if site is not None and not is_web_address(site):
        raise click.BadParameter(f"{site!r} does not begin with https:// or http://.", param_hint="--site")
    package = package or read_package(contracts.resolve().parent)
    if package is not None:
        package_name(package)
    plan = _plan(what, contracts, mode, against)
    findings = list(plan.findings)
    pairs: list[ComparedPair] = []
    outcomes = compare_pairs(plan.pairs, content_model, budget, package, cache=user_cache())
    for pair, outcome in zip(plan.pairs, with_progress(outcomes, len(plan.pairs), "Comparing"), strict=True):
        pairs.append(outcome.compared(pair))
        findings += outcome.findings
        if outcome.note:
            plan.notes.append(outcome.note)
    findings = with_owners(findings, plan.catalog) if plan.catalog else findings
    unique = list({(each.place, each.rule, each.sentence, each.subject, each.pair): each for each in findings}.values())
    unique = _with_accepted(unique, contracts, plan, pairs, everything=not what and against is None and mode is None)
    notes = _notes(plan, against)
    click.echo(FORMATS[form](Report("compat", with_positions(unique), pairs, notes, site or "")), nl=False)
    _summary(notes, Counter(each.status for each in pairs), unique)
    return FINDINGS if any(each.severity == "error" for each in unique) else CLEAN


def _with_accepted(
    findings: Sequence[Finding], contracts: Path, plan: Plan, pairs: Sequence[ComparedPair], *, everything: bool
) -> list[Finding]:
    """Mark what was accepted. Only a run that compares everything can say that an acceptance is not needed any more."""
    entries = [each for each in read_accepted(contracts) if each.command == "compat"]
    looked_for = {each.place for each in entries if everything and _was_looked_for(each.finding, plan, pairs)}
    marked = with_accepted(findings, entries, datetime.now(UTC).date())
    return [each for each in marked if each.rule != "acceptance-unused" or f"{each.file}:{each.pointer}" in looked_for]


def _was_looked_for(finding: str, plan: Plan, pairs: Sequence[ComparedPair]) -> bool:
    """Return whether this run would have found it. What differs only from a git ref is looked for with --against."""
    _, subject, versions, *_ = [*finding.split(":"), "", ""]
    if plan.catalog is None or subject not in plan.catalog.subjects:
        return True
    compared = [{pair.writer, pair.reader} for pair in pairs if pair.subject == subject]
    return set(versions.split(">")) in compared


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


def _notes(plan: Plan, against: str | None) -> list[str]:
    """What was not compared, and why."""
    notes = list(plan.notes)
    if plan.single:
        notes.append(f"nothing to compare with, one version only: {listed(plan.single)}")
    if plan.unchanged:
        notes.append(f"unchanged since {against}: {listed(plan.unchanged)}")
    if plan.not_compared:
        notes.append(f"not compared, the mode is NONE: {listed(plan.not_compared)}")
    return notes


def _summary(notes: Sequence[str], statuses: Counter[str], findings: Sequence[Finding]) -> None:
    for line in notes:
        note(line)
    pairs = statuses.total()
    counts = ", ".join(f"{statuses[status]} {status}" for status in ("compatible", "incompatible", "unknown"))
    if statuses["migrated"]:
        counts += f", {statuses['migrated']} kept by migration"
    accepted = sum(each.severity == "accepted" for each in findings)
    summary = f"{counted(pairs, 'pair')} compared: {counts}; {counted(len(findings), 'finding')}"
    causes = len(causes_of(findings))
    summary += f" with {counted(causes, 'cause')}" if causes < len(findings) else ""
    note(summary + (f", {accepted} accepted" if accepted else ""))
