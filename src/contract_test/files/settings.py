"""Settings: `[tool.contract-test]` of a pyproject.toml, for one service or for several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.toml import read_toml

PYPROJECT = "pyproject.toml"
_PACKAGE = 'package = "the package that your contracts repository builds"'
_LISTS = ("allow_empty", "tests")
_MAX_DEPTH = 3
"""How many folders below a monorepo's root a service may be."""
_NO_SERVICE = ("node_modules", "build", "dist", "venv", "site-packages")

_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(_LISTS, (list, "a list of texts")),
    "strict": (bool, "true or false"),
}
"""What the settings take that are no text."""


@dataclass(frozen=True)
class Settings:
    """`service` is this service's name in the catalog, `package` its package of value objects.

    The contracts come from the directory `contracts`, or else from the package.

    Of the subjects in `allow_empty` no recorded message and no test is asked. `tests` are the folders of its tests,
    where a repository holds several services. `strict` is as `--contracts-strict`. `site` is the address of a site that
    `contract-test site` wrote, to which reports link.
    """

    service: str
    package: str
    contracts: str | None = None
    allow_empty: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    strict: bool = False
    site: str = ""


@dataclass(frozen=True)
class SettingsFile:
    """The table `[tool.contract-test]` in the pyproject.toml of a folder."""

    folder: Path
    table: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where the table is, for an error."""
        return f"{self.folder / PYPROJECT}:[tool.contract-test]"

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it names."""
        named = self.table.get("service")
        return (*([named] if isinstance(named, str) and named else []), *self._tables)

    @property
    def _tables(self) -> Mapping[str, Any]:
        tables = self.table.get("services", {})
        if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
            advice = "Write a table for each service: [tool.contract-test.services.NAME]."
            raise CatalogError("services is not a table of tables", place=self.place, advice=advice)
        if tables and "service" in self.table:
            problem = f"service = {self.table['service']!r} is beside the tables of several services"
            advice = f"Write [tool.contract-test.services.{self.table['service']}] instead."
            raise CatalogError(problem, place=self.place, advice=advice)
        return tables

    def services_with_tests_at(self, path: Path) -> tuple[str, ...]:
        """Return the services whose tests a file or folder holds or belongs to; all, if `tests` does not decide."""
        folders = {
            name: [self.folder / each for each in table.get("tests", ()) if isinstance(each, str)]
            for name, table in self._tables.items()
        }
        found = [
            name
            for name, tests in folders.items()
            if any(path.is_relative_to(each) or each.is_relative_to(path) for each in tests)
        ]
        return tuple(found) or tuple(name for name in self.services if not folders.get(name)) or self.services

    def settings(self, service: str | None = None) -> Settings:
        """Return the settings of the service that is named here, or of the one given. Raises CatalogError."""
        tables, place = self._tables, self.place
        values = {key: value for key, value in self.table.items() if key != "services"}
        if service is None and len(tables) == 1:
            service = next(iter(tables))
        if service is not None:
            values |= {"service": service, **tables.get(service, {})}
            place = f"{place[:-1]}.services.{service}]" if service in tables else place
            if tables and service not in tables:
                advice = f"Known: {', '.join(tables)}. Add a table for another: [tool.contract-test.services.NAME]."
                raise CatalogError(f"no table for the service {service!r}", place=place, advice=advice)
        elif tables:
            advice = f"Name one with --contracts-service NAME: {', '.join(tables)}."
            raise CatalogError("several services have settings here", place=place, advice=advice)
        return _settings(values, place)


def find_settings(start: Path) -> SettingsFile | None:
    """Return the nearest settings around a file or folder, or None."""
    for folder in (start, *start.parents):
        table = _table(folder / PYPROJECT)
        if table is not None:
            return SettingsFile(folder, table)
    return None


def settings_below(start: Path, depth: int = _MAX_DEPTH) -> Iterator[SettingsFile]:
    """Yield the settings in the folders of a repository, as far down as services usually are."""
    for folder in sorted(start.iterdir()) if start.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir() or folder.name.startswith(".") or folder.name in _NO_SERVICE:
            continue
        table = _table(folder / PYPROJECT)
        if table is not None:
            yield SettingsFile(folder, table)
        elif depth > 1:
            yield from settings_below(folder, depth - 1)


def read_settings(start: Path, service: str | None = None) -> tuple[Settings, Path]:
    """Read the settings of the service around a folder, and the folder they stand in.

    Raises CatalogError that says what to write.
    """
    found = find_settings(start)
    if found is None:
        raise no_settings(start)
    return found.settings(service), found.folder


def no_settings(folder: Path) -> CatalogError:
    """Return the error that says what to write."""
    return CatalogError(
        "no service is named",
        place=str(folder / PYPROJECT),
        advice=f"""Add:

  [tool.contract-test]
  service = "the service's name in the catalog"
  {_PACKAGE}""",
    )


def read_package(start: Path) -> str | None:
    """Return the package of value objects that the settings around a folder name, or None."""
    for folder in (start, *start.parents):
        table = _table(folder / PYPROJECT)
        if table is not None and isinstance(table.get("package"), str):
            return str(table["package"])
    return None


def _table(path: Path) -> dict[str, Any] | None:
    tools = read_toml(path).get("tool", {})
    table = tools.get("contract-test") if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


def _settings(table: Mapping[str, Any], place: str) -> Settings:
    for key, value in table.items():
        if key not in Settings.__dataclass_fields__:
            known = ", ".join((*Settings.__dataclass_fields__, "services"))
            raise CatalogError(f"{key} = {value!r} is not a setting", place=place, advice=f"Known: {known}.")
        kind, wanted = _KINDS.get(key, (str, "a text"))
        items = value if isinstance(value, list) else []
        if not isinstance(value, kind) or not all(isinstance(each, str) for each in items):
            raise CatalogError(f"{key} is {value!r}", place=place, advice=f"It takes {wanted}.")
    if not table.get("service"):
        raise CatalogError("no service is named", place=place, advice='Add: service = "its name in the catalog"')
    if not table.get("package"):
        raise CatalogError("no package of value objects is named", place=place, advice=f"Add: {_PACKAGE}")
    return Settings(**dict(table) | {key: tuple(table.get(key, ())) for key in _LISTS})
