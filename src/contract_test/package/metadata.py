"""The metadata of both distributions, from `[project]` in the pyproject.toml beside the contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.toml import read_toml

EXTRA = "recordings"
_LICENSES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
"""What is a licence file where `license-files` says nothing (PEP 639)."""
_SHARED = ("authors", "maintainers", "urls", "requires-python")


@dataclass(frozen=True)
class Project:
    """The table `[project]`, and the folder of its pyproject.toml."""

    folder: Path
    table: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the distribution."""
        return str(self.table["name"])

    @property
    def recordings_name(self) -> str:
        """The name of the distribution of recordings."""
        return f"{self.name}-{EXTRA}"

    @property
    def license_patterns(self) -> list[tuple[Path, str]]:
        """The patterns of the licence files, each with the folder in which it counts."""
        return [(self.folder, pattern) for pattern in self.table.get("license-files", _LICENSES)]

    def files(self) -> Iterator[Path]:
        """Yield the files that the metadata names: the readme and the licence files. Raises CatalogError."""
        readme = self.table.get("readme")
        readme = readme.get("file") if isinstance(readme, dict) else readme
        if isinstance(readme, str):
            if not (self.folder / readme).is_file():
                place = f"{self.folder / 'pyproject.toml'}:[project]"
                raise CatalogError(
                    f"the readme {readme!r} is missing", place=place, advice="Write it, or name another."
                )
            yield self.folder / readme
        for _, pattern in self.license_patterns:
            yield from sorted(path for path in self.folder.glob(pattern) if path.is_file())

    def of_contracts(self, version: str) -> dict[str, Any]:
        """Return `[project]` of the distribution with value objects and contracts."""
        extras = dict(self.table.get("optional-dependencies", {}))
        extras[EXTRA] = [f"{self.recordings_name}=={version}"]
        rest = {name: value for name, value in self.table.items() if name not in ("version", "dynamic")}
        return rest | {"version": version, "optional-dependencies": extras}

    def of_recordings(self, version: str) -> dict[str, Any]:
        """Return `[project]` of the distribution with recordings."""
        return {
            "name": self.recordings_name,
            "version": version,
            "description": f"Recorded messages for the tests of services that use {self.name}",
            "readme": {
                "content-type": "text/markdown",
                "text": f"Recorded messages for `{self.name}` {version}. Services install them for their tests, with "
                f"`{self.name}[{EXTRA}]`. They are not needed in production.\n",
            },
            "dependencies": [f"{self.name}=={version}"],
            **{name: self.table[name] for name in _SHARED if name in self.table},
        }


def read_project(folder: Path, package: str) -> Project:
    """Return the project of a folder; without a pyproject.toml, one that is named after the package.

    Raises CatalogError where the metadata cannot be copied as it is.
    """
    place = f"{folder / 'pyproject.toml'}:[project]"
    table = read_toml(folder / "pyproject.toml").get("project", {})
    if not isinstance(table, dict):
        raise CatalogError("is not a table", place=place, advice="Write the metadata of the package below it.")
    dynamic = [name for name in table.get("dynamic", ()) if name != "version"]
    if dynamic:
        advice = "Write it there: only the version is derived."
        raise CatalogError(f"{dynamic[0]} is dynamic", place=place, advice=advice)
    defaults = {
        "name": package.replace("_", "-"),
        "description": "Contracts of our messages: schemas and typed value objects",
        "requires-python": ">=3.11",
        "dependencies": [f"contract-test>={installed_version('contract-test')}"],
    }
    return Project(folder, defaults | table)
