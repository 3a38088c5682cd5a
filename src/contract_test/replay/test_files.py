"""Which source files are tests: what their code reads of a message, the service did not read."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

_CALLEES = ("envelopes", "contract_test", "pydantic", "pytest", "_pytest", "pluggy", "pytest_asyncio", "anyio", "mock")
"""Packages that read for whoever calls them, like the standard library with its `json` and `unittest.mock`."""
_STANDARD = f"{sysconfig.get_path('stdlib')}/"
_FOLDERS = frozenset(("tests", "test"))


class TestFiles:
    """The files of tests: given ones, every conftest.py, and all below a folder named `tests` in `root`."""

    __test__ = False  # pytest collects no tests here

    def __init__(self, root: Path | None = None, files: Iterable[str] = ()) -> None:
        self._root = None if root is None else f"{root}/"
        self._known: dict[str, bool | None] = dict.fromkeys(files, True)

    def add(self, files: Iterable[str]) -> None:
        """Add files of tests."""
        self._known.update(dict.fromkeys(files, True))

    def is_reader(self, frame: FrameType | None) -> bool:
        """Return whether it is a test that reads: the nearest caller that is no library decides."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in self._known:
                self._known[name] = self._is_test(name)
            if (known := self._known[name]) is not None:
                return known
            frame = frame.f_back
        return False

    def is_called_by_service(self, frame: FrameType) -> bool:
        """Return whether code of the service called this code, directly or through a library."""
        caller = frame.f_back
        while caller is not None:
            name = caller.f_code.co_filename
            if self.is_service(name):
                return True
            if self._known[name]:
                return False
            caller = caller.f_back
        return False

    def is_service(self, name: str) -> bool:
        """Return whether code of the service may be in a file: it is no test, and no library that is known here."""
        if name not in self._known:
            self._known[name] = self._is_test(name)
        return self._known[name] is False

    def _is_test(self, name: str) -> bool | None:
        """Return None for a library that reads for whoever calls it."""
        if name.startswith("<"):  # code that was made at run time, such as a dataclass's
            return None
        installed = is_installed(name)
        if (
            name.startswith(_callees())
            or (installed and "/pytest" in name.rpartition("-packages")[2])
            or (name.startswith(_STANDARD) and not installed)
        ):
            return None
        if Path(name).name == "conftest.py":
            return True
        if self._root is None or installed or not name.startswith(self._root):
            return False
        return not _FOLDERS.isdisjoint(Path(name.removeprefix(self._root)).parts[:-1])


def is_installed(name: str) -> bool:
    """Return whether a file is part of an installed package."""
    return "site-packages" in name or "dist-packages" in name


@cache
def _callees() -> tuple[str, ...]:
    """Return the folders, or the single modules, of the packages that read for whoever calls them."""
    paths = [Path(spec.origin) for spec in map(find_spec, _CALLEES) if spec is not None and spec.origin is not None]
    return tuple(f"{path.parent}/" if path.name == "__init__.py" else str(path) for path in paths)
