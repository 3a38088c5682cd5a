"""One service under test: its settings, its contracts and the recorded messages that concern it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from contract_test.data.errors import NothingFoundError
from contract_test.files.accepted import Acceptance, accepted_by, read_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import check_package, check_recordings, installed_contracts, runtime_catalog
from contract_test.files.settings import Settings
from contract_test.replay.cases import Replay
from contract_test.replay.completeness import Completeness

OWN_FOLDER = ".contract-test"
"""Where a run writes what it saw, next to pyproject.toml."""


@dataclass(frozen=True)
class Service:
    """A service's settings and their folder, its messages, what it has to verify, and what is accepted."""

    settings: Settings
    home: Path
    replay: Replay
    completeness: Completeness
    accepted: tuple[Acceptance, ...]

    @property
    def own_folder(self) -> Path:
        """Where a run writes what it saw."""
        return self.home / OWN_FOLDER


def open_service(settings: Settings, home: Path, contracts: Path | None, option: str) -> Service:
    """Read the contracts that a service with these settings uses. `home` is the folder of the settings.

    `contracts` is the directory that `option` named, or None. Raises ContractTestError where something is missing.
    """
    catalog = load_catalog(_contracts_folder(contracts, settings, home, option))
    runtime = runtime_catalog(settings.package)
    replay = Replay(catalog, runtime, settings.service)
    check_package(replay.subjects, runtime)
    check_recordings(settings.package, catalog.root)
    accepted = accepted_by(read_accepted(catalog.root), "replay")
    return Service(settings, home, replay, Completeness(replay, settings.allow_empty), tuple(accepted))


def _contracts_folder(given: Path | None, settings: Settings, home: Path, option: str) -> Path:
    """Where the contracts are. Raises NothingFoundError that names the option and the setting."""
    if given is None and settings.contracts is None:
        return installed_contracts(settings.package, option)
    root = Path(os.path.normpath(given or home / (settings.contracts or "")))
    if not root.is_dir():
        advice = f"Correct `contracts` of [tool.contract-test] in pyproject.toml, or name one with {option} DIR."
        raise NothingFoundError("there is no such directory", place=str(root), advice=advice)
    return root
