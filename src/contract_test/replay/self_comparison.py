"""Whether a line of a test compares a field with itself: `assert order.sku == order.sku`."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

_ENOUGH = 2


def compares_twice(file: str, line: int, name: str) -> bool:
    """Return whether a comparison in a line names a field on more than one side.

    A comparison is an operator, or a method whose name begins with "assert". A line whose source cannot be read is
    taken for one.
    """
    path = Path(file)
    try:
        return _compares_twice(path, path.stat().st_mtime_ns, line, name)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return True


@lru_cache(maxsize=4096)
def _compares_twice(path: Path, _changed_at: int, line: int, name: str) -> bool:
    return any(
        sum(_names(operand, name) for operand in _operands(node)) >= _ENOUGH
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Compare | ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno)
    )


def _operands(node: ast.Compare | ast.Call) -> list[ast.expr]:
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    function = node.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return node.args if called.startswith("assert") else []


def _names(operand: ast.expr, name: str) -> bool:
    """Return whether a part of a line reads a field, as `order.sku` or by its name in quotes."""
    return any(name in (getattr(node, "attr", None), getattr(node, "value", None)) for node in ast.walk(operand))
