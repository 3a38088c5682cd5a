"""Where pytest looks for tests, as the settings of a repository say. Without pytest itself, which may not be there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.toml import read_toml

_ALWAYS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
_FILES = (*_ALWAYS, "pyproject.toml", "tox.ini", "setup.cfg")
"""In pytest's order: the first with settings counts. Those of `_ALWAYS` count without any, too."""

_LISTS = ("testpaths", "python_files", "python_classes", "python_functions", "norecursedirs")


@dataclass(frozen=True)
class PytestSettings:
    """What `pytest` collects below a folder."""

    folder: Path
    testpaths: tuple[str, ...] = ()
    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    python_classes: tuple[str, ...] = ("Test",)
    python_functions: tuple[str, ...] = ("test",)
    norecursedirs: tuple[str, ...] = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")

    @property
    def tests_folder(self) -> str:
        """Where to write tests, relative to the folder: the first of `testpaths`, or what is there already."""
        for pattern in self.testpaths:
            for path in sorted(self.folder.glob(pattern)) if not Path(pattern).is_absolute() else ():
                if path.is_dir():
                    return path.relative_to(self.folder).as_posix()
        plain = [each for each in self.testpaths if not set("*?[").intersection(each) and not each.endswith(".py")]
        existing = [each for each in ("tests", "test") if (self.folder / each).is_dir()]
        return [*plain, *existing, "tests"][0]

    @property
    def file_name(self) -> str:
        """A name for a new file of tests that pytest collects."""
        usual = ("test_contracts.py", "contracts_test.py")
        patterns = [pattern.rpartition("/")[2] for pattern in self.python_files]
        for name in usual:
            if any(fnmatch(name, pattern) for pattern in patterns):
                return name
        return patterns[0].replace("*", "contracts", 1).replace("*", "") if patterns else usual[0]

    def function_name(self, rest: str) -> str:
        """Return a name for a new test that pytest collects: `test_` and the rest, unless the settings ask for more."""
        usual = f"test_{rest}"
        if self.collects_function(usual) or not self.python_functions:
            return usual
        first = self.python_functions[0]
        name = first.replace("*", rest, 1).replace("*", "") if "*" in first else f"{first.rstrip('_')}_{rest}"
        return name if name.isidentifier() else usual

    def collects_function(self, name: str) -> bool:
        """Return True if pytest takes a function of that name for a test."""
        return _matches(name, self.python_functions)

    def collects_class(self, name: str) -> bool:
        """Return True if pytest looks for tests in a class of that name."""
        return _matches(name, self.python_classes)

    def test_files(self) -> Iterator[Path]:
        """Yield the existing files that pytest collects, and each `conftest.py`, in order."""
        paths = [path for pattern in self.testpaths for path in sorted(self.folder.glob(pattern))]
        for path in dict.fromkeys(paths or [self.folder]):
            yield from [path] if path.is_file() else self._below(path)

    def _below(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                if not path.is_symlink() and not any(fnmatch(path.name, each) for each in self.norecursedirs):
                    yield from () if (path / "pyvenv.cfg").exists() else self._below(path)
            elif path.name == "conftest.py" or self._collects_file(path):
                yield path

    def _collects_file(self, path: Path) -> bool:
        return path.suffix == ".py" and any(
            fnmatch(path.as_posix(), f"*/{pattern}") if "/" in pattern else fnmatch(path.name, pattern)
            for pattern in self.python_files
        )


def read_pytest_settings(folder: Path) -> PytestSettings:
    """Return pytest's settings for the tests of a folder, or its defaults. Raises CatalogError for an unreadable file.

    As pytest does, take the nearest file that has some. `testpaths` of a folder above are about that folder.
    """
    here = folder.resolve()
    for above in (here, *here.parents):
        for name in _FILES:
            path = above / name
            values = _values(path) if path.is_file() else None
            if values is None and not (name in _ALWAYS and path.is_file()):
                continue
            lists = {key: _words(path, key, (values or {}).get(key)) for key in _LISTS}
            given = {key: words for key, words in lists.items() if words}
            found = PytestSettings(folder, **given)
            return found if above == here else replace(found, testpaths=())
    return PytestSettings(folder)


def _values(path: Path) -> Mapping[str, Any] | None:
    """Return what a file says to pytest; None if it does not."""
    if path.suffix == ".toml":
        document = read_toml(path)
        if path.name != "pyproject.toml":
            return _table(document, "pytest")
        table = _table(_table(document, "tool") or {}, "pytest")
        options = _table(table or {}, "ini_options")
        return table if options is None and table else options
    sections = read_ini(path)
    return sections.get("tool:pytest" if path.name == "setup.cfg" else "pytest")


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    table = document.get(name)
    return table if isinstance(table, dict) else None


def _words(path: Path, key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(each for each in value if isinstance(each, str))
    try:
        return tuple(shlex.split(value)) if isinstance(value, str) else ()
    except ValueError as error:
        raise CatalogError(f"{key} is {value!r}: {error}", place=str(path), advice="Mend the quotes.") from None


def read_ini(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the sections of an ini-file; none where there is no file. Raises CatalogError."""
    parser = RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig") if path.is_file() else "", str(path))
    except UnicodeError:
        raise CatalogError("not UTF-8 text", place=str(path), advice="Save it as UTF-8.") from None
    except Error as error:
        sentence = str(error).partition("\n")[0]
        raise CatalogError(f"cannot be read: {sentence}", place=str(path), advice="Mend the syntax there.") from None
    return {name: {key: value or "" for key, value in parser[name].items()} for name in parser.sections()}


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, each) if set("*?[").intersection(each) else name.startswith(each) for each in patterns)
