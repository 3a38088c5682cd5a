"""The contract tests that a service's repository has already, read from the syntax tree of its test modules."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from contract_test.start.pytest_settings import PytestSettings

_KINDS = ("consumes", "produces")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class ExistingTests:
    """`operations` that have a test, as ("consumes" or "produces", subject), and the functions at the modules' top."""

    operations: set[tuple[str, str]] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def read_existing_tests(settings: PytestSettings, folder: Path) -> ExistingTests:
    """Return what pytest collects below a folder. A file that is no Python is left out: pytest reports it."""
    found = ExistingTests()
    for path in settings.test_files():
        if not path.is_relative_to(folder):
            continue
        module = _Module(_parsed(path), settings)
        found.operations |= set(module.operations())
        found.functions |= module.functions
    return found


def top_level_functions(path: Path) -> set[str]:
    """Return the names of the functions at the top of a file."""
    return {each.name for each in _parsed(path).body if isinstance(each, _FUNCTIONS)}


def _parsed(path: Path) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code of others
            return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


class _Module:
    """One file of tests: what it calls pytest and its marks, and the texts that have a name."""

    def __init__(self, tree: ast.Module, settings: PytestSettings) -> None:
        self._tree, self._settings = tree, settings
        self._pytest, self._mark = set[str](), set[str]()
        self._values: dict[str, ast.expr] = {}
        self.functions: set[str] = set()
        for each in _statements(tree.body):
            if isinstance(each, ast.Import):
                self._pytest |= {name.asname or name.name for name in each.names if name.name == "pytest"}
            elif isinstance(each, ast.ImportFrom) and each.module == "pytest":
                self._mark |= {name.asname or name.name for name in each.names if name.name == "mark"}
            elif isinstance(each, _FUNCTIONS):
                self.functions |= {each.name, *_fixture_names(each)}
            for target, value in _assigned(each):
                self._values[target] = value

    def operations(self) -> Iterator[tuple[str, str]]:
        """Yield the operations that the tests of this file are marked with."""
        classes = [each for each in _statements(self._tree.body) if isinstance(each, ast.ClassDef)]
        bases = {base.id for each in classes for base in each.bases if isinstance(base, ast.Name)}
        tested = [each for each in classes if self._settings.collects_class(each.name) or each.name in bases]
        yield from self._marked(self._tree.body)
        for each in tested:
            if any(isinstance(test, _FUNCTIONS) for test in each.body):
                yield from self._markers(each.decorator_list)
            yield from self._marked(each.body)

    def _marked(self, body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
        for each in _statements(body):
            if isinstance(each, _FUNCTIONS) and self._settings.collects_function(each.name):
                yield from self._markers(each.decorator_list)
            for target, value in _assigned(each):
                if target == "pytestmark":
                    yield from self._markers(value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value])

    def _markers(self, expressions: Iterable[ast.expr]) -> Iterator[tuple[str, str]]:
        for each in expressions:
            call = self._value(each)
            if not isinstance(call, ast.Call):
                continue
            kind = self._kind(self._value(call.func))
            named = [*call.args[:1], *(given.value for given in call.keywords if given.arg == "subject")]
            subject = self._value(named[0]) if named else None
            if kind is not None and isinstance(subject, ast.Constant) and isinstance(subject.value, str):
                yield kind, subject.value

    def _kind(self, function: ast.expr) -> str | None:
        """Return "consumes" for `pytest.mark.consumes`, by whatever names the file knows it."""
        if not (isinstance(function, ast.Attribute) and function.attr in _KINDS):
            return None
        match self._value(function.value):
            case ast.Name(id=name) if name in self._mark:
                return function.attr
            case ast.Attribute(attr="mark", value=ast.Name(id=name)) if name in self._pytest:
                return function.attr
        return None

    def _value(self, expression: ast.expr) -> ast.expr:
        """Return what a name stands for, where the file itself assigns it."""
        seen = set[str]()
        while isinstance(expression, ast.Name) and expression.id in self._values and expression.id not in seen:
            seen.add(expression.id)
            expression = self._values[expression.id]
        return expression


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body, and those inside `if`, `try` and `with`; not those of functions and classes."""
    for each in body:
        yield each
        if not isinstance(each, (*_FUNCTIONS, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(each, name, ()))
            for handler in getattr(each, "handlers", ()):
                yield from _statements(handler.body)


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id, value


def _fixture_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the name that a fixture has by `@pytest.fixture(name=…)`."""
    for decorator in function.decorator_list:
        for given in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if given.arg == "name" and isinstance(given.value, ast.Constant) and isinstance(given.value.value, str):
                yield given.value.value
