"""Keeps the code of a service apart from its tests: what is read in a file of tests, the service did not read."""

import ast
from pathlib import Path


def write_apart(path: Path, text: str, module: str) -> None:
    """Write tests, and what is no test in the same text into a module of its own, which the tests import.

    Functions and classes that are no tests, fixtures or hooks are the service's code, and so are assignments.
    """
    lines, moved, names, imports = text.split("\n"), list[str](), list[str](), list[str]()
    for node in ast.parse(text).body:
        source = "\n".join(lines[_first_line(node) - 1 : node.end_lineno])
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(source)
        elif not _is_test(node, source):
            moved.append(source)
            names += _names(node)
            lines[_first_line(node) - 1 : node.end_lineno] = [""] * (node.end_lineno - _first_line(node) + 1)
    if names:
        path.with_name(f"{module}.py").write_text("\n".join([*imports, *moved]) + "\n")
        first = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
        lines[first : first + 1] = [f"from {module} import {', '.join(dict.fromkeys(names))}"]
    path.write_text("\n".join(lines))


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])


def _is_test(node: ast.stmt, source: str) -> bool:
    name = getattr(node, "name", "")
    return "pytest" in source or name.lower().startswith("test") or not _names(node)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [each.id for each in targets if isinstance(each, ast.Name)]
