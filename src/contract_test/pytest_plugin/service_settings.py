"""Whose contract tests a run is about: the service's settings, wherever pytest was started, and its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contract_test.data.errors import CatalogError
from contract_test.data.texts import counted
from contract_test.files.settings import Settings, SettingsFile, find_settings, no_settings, settings_below
from contract_test.replay.cases import Replay
from contract_test.replay.completeness import OPERATIONS

_WORKER_INPUT = "contract_settings"


def service_settings(config: pytest.Config) -> tuple[Settings, SettingsFile]:
    """Return the settings for this run, and the file they stand in.

    They are searched for upwards from the paths on the command line, the file of `-c`, the folder of `--rootdir`, the
    folder where pytest was started, and `testpaths`, in this order; then below that folder. Raises CatalogError if
    there are none, or those of several services.
    """
    sent = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    if sent is not None:  # a worker of xdist, whose arguments are others
        folder, service = sent
        if (found := find_settings(Path(folder))) is not None:
            return found.settings(service), found
    wanted = config.getoption("--contracts-service")
    around: list[SettingsFile] = []
    for paths in _starts(config):
        found_here = [(found, path) for path in paths if (found := find_settings(path)) is not None]
        if choices := _choices(found_here, wanted):
            return _only(choices)
        around += [found for found, _ in found_here]
    here = config.invocation_params.dir
    below = list(settings_below(here))
    if choices := _choices([(each, each.folder) for each in below], wanted):
        return _only(choices)
    for file in around:
        if wanted is None or "services" not in file.table:  # its services share these settings, or an error says more
            return file.settings(wanted), file
    known = sorted({name for file in (*around, *below) for name in file.services})
    if wanted is not None and known:
        advice = f"Known: {', '.join(known)}."
        raise CatalogError(f"no settings for the service {wanted!r}", place=str(here), advice=advice)
    raise no_settings(here)


class OwnTests:
    """Which contract tests are those of this service, where a repository holds several."""

    def __init__(self, config: pytest.Config, settings: Settings, file: SettingsFile, replay: Replay) -> None:
        self._service, self._file, self._replay = settings.service, file, replay
        self._several = len(file.services) > 1 or config.getoption("--contracts-service") is not None
        self._left_out: set[str] = set()
        self._is_own_file = cache(self._owners_of)

    def markers(self, test: pytest.Item) -> list[pytest.Mark]:
        """Return the markers of a contract test that are about this service; none if it belongs to another."""
        markers = [marker for operation in OPERATIONS for marker in test.iter_markers(operation)]
        if not markers or not self._is_own_file(test.path):
            return []
        return [marker for marker in markers if not self._is_of_another(marker)]

    def leave_out_others(self, items: list[pytest.Item]) -> None:
        """Take the tests of other services out of what was collected."""
        others = [item for item in items if is_contract_test(item) and not self.markers(item)]
        self._left_out.update(item.nodeid for item in others)
        if others:
            items[:] = [item for item in items if item.nodeid not in self._left_out]

    def note(self) -> list[str]:
        """Return what to report of the tests that were left out."""
        left_out = len(self._left_out)
        return [f"left out {counted(left_out, 'contract test')} of other services"] if left_out else []

    def send(self, node: Any) -> None:
        """Send to a worker of xdist which settings were chosen."""
        node.workerinput[_WORKER_INPUT] = (str(self._file.folder), self._service)

    def _owners_of(self, path: Path) -> bool:
        """Return whether the tests in a file may be those of this service."""
        nearest = find_settings(path.parent)
        if nearest is not None and nearest.services and nearest.folder != self._file.folder:
            return False
        services = self._file.services
        return self._service not in services or self._service in self._file.services_with_tests_at(path)

    def _is_of_another(self, marker: pytest.Mark) -> bool:
        """Return whether this is an operation of other services only. A subject that nobody knows is an error."""
        subject = marker.args[0] if marker.args else marker.kwargs.get("subject")
        known = self._replay.catalog.subjects.get(subject) if isinstance(subject, str) else None
        if not self._several or known is None or (marker.name, subject) in self._replay.operations:
            return False
        return bool(known.received_by if marker.name == "consumes" else known.sent_by)


def is_contract_test(item: pytest.Item) -> bool:
    """Return True if a test is marked as a consumer's or a producer's."""
    return any(item.get_closest_marker(operation) is not None for operation in OPERATIONS)


def _starts(config: pytest.Config) -> Iterator[list[Path]]:
    here = config.invocation_params.dir
    paths = [Path(here, argument.partition("::")[0]).resolve() for argument in config.args]
    given = config.args_source is pytest.Config.ArgsSource.ARGS
    if given:
        yield paths
    for option in ("inifilename", "rootdir"):
        name = config.getoption(option, None)
        if name:
            yield [Path(here, name).resolve()]
    yield [here]
    if not given:
        yield paths


def _choices(found: list[tuple[SettingsFile, Path]], wanted: str | None) -> list[tuple[SettingsFile, str]]:
    """Return the services whose settings were found, each once: those with this name, if one is wanted."""
    choices = {}
    for file, path in found:
        for name in file.services_with_tests_at(path) if wanted is None else file.services:
            if wanted in (None, name):
                choices[file.folder, name] = (file, name)
    return list(choices.values())


def _only(choices: list[tuple[SettingsFile, str]]) -> tuple[Settings, SettingsFile]:
    """Return the settings of the one choice. Raises CatalogError if there are several."""
    if len(choices) > 1:
        lines = "".join(f"\n  {name}: {file.place}" for file, name in sorted(choices, key=lambda each: each[1]))
        advice = "Name one with --contracts-service NAME, or give the path of its tests, in a run for each."
        raise CatalogError(f"this run is about several services:{lines}", advice=advice)
    file, name = choices[0]
    return file.settings(name), file
