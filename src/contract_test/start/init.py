"""The first files of a service's repository, or of a contracts repository. Existing files are never changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template

from contract_test.data.contract import Catalog, Subject, snake_case
from contract_test.data.errors import CatalogError, ContractTestError
from contract_test.files.additions import Row, append_tables, toml_text
from contract_test.files.catalog import load_catalog
from contract_test.files.catalog_schema import FILE as CATALOG_SCHEMA
from contract_test.files.catalog_schema import schema_file_text
from contract_test.files.recordings import read_recording
from contract_test.files.settings import PYPROJECT, SettingsFile, find_settings
from contract_test.files.toml import read_toml
from contract_test.generate.package import generate
from contract_test.generate.source import write_files
from contract_test.recordings.provenance import causes, provenance_of
from contract_test.replay.deliveries import declares
from contract_test.schema.names import literal, unused
from contract_test.start.existing_tests import read_existing_tests, top_level_functions
from contract_test.start.pytest_settings import PytestSettings, read_ini, read_pytest_settings

_SETTINGS = ("tool", "contract-test")
_SERVICES = "tool.contract-test.services"
_TEMPLATES = files("contract_test.files") / "templates"
_EXAMPLE = {
    "contracts/catalog.toml": "catalog.toml",
    "contracts/order.placed/v1.json": "order.placed.json",
    "contracts/order.placed/recordings/v1.jsonl": "order.placed.jsonl",
}
_REPO = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".gitattributes": "gitattributes",
    ".gitignore": "gitignore",
    "tests/test_contracts.py": "test_contracts_repo.py",
}
_CI = {
    ".github/workflows/contracts.yml": "github-contracts.yml",
    ".gitlab-ci.yml": "gitlab-ci.yml",
}
_SCHEDULED_RECORDING = {
    "ci/record-staging": "record-staging",
    "ci/review-recordings.md": "review-recordings.md",
    ".github/workflows/record.yml": "github-record.yml",
    ".gitlab/record.yml": "gitlab-record.yml",
}


class _CiTemplate(Template):
    """A template of a file that has shell variables of its own."""

    delimiter = "@@"


@dataclass
class ScaffoldResult:
    """The files that `init` wrote and those that it kept. `missing` is the text of tests that were not written.

    `has_tests` tells whether tests were written that do not call the service's code yet.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    missing: str = ""
    has_tests: bool = False


def scaffold_contracts(folder: Path, package: str, *, scheduled_recording: bool = False) -> ScaffoldResult:
    """Write a contracts repository that generates, tests and packages, with an example if there are none.

    With `scheduled_recording`, also write the jobs that record the channels of the catalog every night.
    """
    example = {} if (folder / "contracts").exists() else _EXAMPLE
    values = {
        "package": package,
        "distribution": package.replace("_", "-"),
        "version": version("contract-test"),
        "now": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    result = ScaffoldResult()
    for name, template in example.items():
        _write(result, folder / name, _render(template, values))
    if example:
        _write(result, folder / "contracts" / CATALOG_SCHEMA, schema_file_text())
    catalog = load_catalog(folder / "contracts")
    result.written += generate(catalog, package, folder / "src").written
    for name, template in _REPO.items():
        _write(result, folder / name, _render(template, values))
    channels = {
        f"{server}_channels": " ".join(
            shlex.quote(name) for name, each in catalog.channels.items() if each.protocol.startswith(server)
        )
        for server in ("redis", "kafka")
    }
    for name, template in (_CI | (_SCHEDULED_RECORDING if scheduled_recording else {})).items():
        text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
        _write(result, folder / name, _CiTemplate(text).substitute(channels))
    return result


def scaffold_service(
    folder: Path, service: str, package: str, catalog: Catalog, contracts: Path | None
) -> ScaffoldResult:
    """Write the service's name into its settings, and one test for each of its operations that has none.

    Raises CatalogError if the service is not in the catalog, or the settings name another service.
    """
    operations = [
        *(("consumes", subject) for subject in catalog.received_by(service)),
        *(("produces", subject) for subject in catalog.sent_by(service)),
    ]
    if not operations:
        advice = (
            f"Known: {', '.join(services_of(catalog)) or 'none'}. Name one with --service, or add it to the catalog."
        )
        if contracts is None:
            advice += f" These are the contracts of the package {package!r}: --package names another."
        raise CatalogError(
            f"no subject is sent or received by {service!r}", place=str(catalog.root / "catalog.toml"), advice=advice
        )
    result = ScaffoldResult()
    pytest_settings = read_pytest_settings(folder)
    tests_folder = _write_settings(result, folder, pytest_settings, {
        "service": service,
        "package": package,
        **({"contracts": Path(os.path.relpath(contracts, folder)).as_posix()} if contracts is not None else {}),
        "strict": True,
    })  # fmt: skip
    several = tests_folder is not None
    name = pytest_settings.file_name
    name = name.replace("contracts", f"{snake_case(service)}_contracts") if several else name
    path = folder / (tests_folder or pytest_settings.tests_folder) / name
    existing = read_existing_tests(pytest_settings, path.parent if several else folder)
    left = [(kind, each) for kind, each in operations if (kind, each.name) not in existing.operations]
    tests = _operation_tests(left, catalog, service, pytest_settings)
    if "contract_state" in tests and "contract_state" not in existing.functions:
        tests = _render("contract_state.py", {}) + tests
    helper = _render("not_connected.py", {})
    if tests and path.exists():
        defined = "not_connected" in top_level_functions(path)
        result.missing = (tests if defined else helper + tests).strip("\n") + "\n"
    elif tests:
        _write(result, path, _render("test_service.py", {}) + helper + tests)
        result.has_tests = True
    if path not in result.written and path.exists():
        result.kept.append(path)
    return result


def services_of(catalog: Catalog) -> list[str]:
    """Return the names of all services in the catalog."""
    return sorted({name for each in catalog.subjects.values() for name in (*each.sent_by, *each.received_by)})


def project_name(folder: Path) -> str | None:
    """Return the project's name in pyproject.toml or setup.cfg, or None."""
    document = read_toml(folder / PYPROJECT)
    tools = document.get("tool")
    tables = (document.get("project"), tools.get("poetry") if isinstance(tools, dict) else None)
    for table in (*tables, read_ini(folder / "setup.cfg").get("metadata")):
        if isinstance(table, dict) and isinstance(table.get("name"), str):
            return str(table["name"])
    return None


def _write_settings(result: ScaffoldResult, folder: Path, tests: PytestSettings, rows: Mapping[str, Row]) -> str | None:
    """Write the settings that are missing. Return the folder of the service's tests if they name one."""
    path, service = folder / PYPROJECT, str(rows["service"])
    found = find_settings(folder)
    if found is None or found.folder != folder:
        result.written.append(append_tables(path, {_SETTINGS: rows}))
        return None
    if service not in found.services and "service" not in found.table:
        own_tests = f"{tests.tests_folder}/{snake_case(service)}"
        more = {key: rows[key] for key in ("package", "contracts", "strict") if key in rows and key not in found.table}
        result.written.append(append_tables(path, {(_SERVICES, service): {**more, "tests": [own_tests]}}))
        return own_tests
    settings = found.settings(None if "service" in found.table else service)
    if settings.service != service:
        raise CatalogError(
            f"the settings name another service: {settings.service!r}",
            place=found.place,
            advice=_several(found, service),
        )
    result.kept.append(path)
    return settings.tests[0] if settings.tests else None


def _several(found: SettingsFile, service: str) -> str:
    """Return what to do where the settings are those of another service."""
    names = (str(found.table["service"]), service)
    tables = "".join(
        f"\n\n  [{_SERVICES}.{toml_text(name)}]\n  tests = [{toml_text(f'tests/{snake_case(name)}')}]" for name in names
    )
    return (
        f'Run `contract-test init` without --service, or set service = "{service}". If this repository has '
        f"several services, write a table for each in place of `service`:{tables}"
    )


def _operation_tests(
    operations: Iterable[tuple[str, Subject]], catalog: Catalog, service: str, settings: PytestSettings
) -> str:
    tests, taken = "", set[str]()
    for kind, subject in operations:
        for cause in _causes(subject, catalog, service) if kind == "produces" else [None]:
            test = unused(settings.function_name(f"{snake_case(subject.name)}_is_{kind.removesuffix('s')}d"), taken)
            taken.add(test)
            template = f"test_{kind}.py" if cause is None else f"test_{kind}_by_cause.py"
            tests += _render(template, {
                "subject": literal(subject.name),
                "test": test,
                "operation": literal(f"{kind} {subject.name}"),
                "fixtures": "message, contract_state" if declares(subject) else "message",
                "cause": literal(cause),
            })  # fmt: skip
    return tests


def _causes(subject: Subject, catalog: Catalog, service: str) -> Sequence[str | None]:
    """Return the subjects that cause a message, as recorded, or one that the service receives, or None."""
    if subject.caused_by is None:
        return [None]
    try:
        effects = [
            provenance_of(each, catalog) for contract in subject.contracts.values() for each in read_recording(contract)
        ]
    except ContractTestError:  # `lint` says so
        effects = []
    known = causes(catalog)
    recorded = {known[each.cause].subject for each in effects if each.cause is not None and each.cause in known}
    return sorted(recorded) or [each.name for each in catalog.received_by(service)][:1] or [None]


def _render(template: str, values: Mapping[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(values)


def _write(result: ScaffoldResult, path: Path, text: str) -> None:
    if path.exists():
        result.kept.append(path)
    else:
        result.written += write_files(path.parent, [(path.name, text)])
