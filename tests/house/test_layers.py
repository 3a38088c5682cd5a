"""A layer imports only layers above it; the table is ARCHITECTURE.md's."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
LAYERS = {
    "envelopes": 0,
    "contract_test.data": 1,
    "contract_test.schema": 2,
    "contract_test.scanner": 2,
    "contract_test.files": 3,
    "contract_test.transports": 4,
    "contract_test.use_cases": 5,
    "contract_test.report": 6,
    "contract_test.compare": 2,
    "contract_test.scrub": 2,
    "contract_test.recordings": 5,
    "contract_test.record": 5,
    "contract_test.replay": 5,
    "contract_test.compat": 5,
    "contract_test.generate": 5,
    "contract_test.lint": 5,
    "contract_test.infer": 5,
    "contract_test.start": 5,
    "contract_test.pytest_plugin": 7,
    "contract_test.pytest_": 7,
    "contract_test.pytest_plugin.plugin": 8,
    "contract_test.cli": 8,
}


def layer_of(module: str) -> int | None:
    """The rank of the layer that a module belongs to; None outside this project."""
    found = [name for name in LAYERS if module == name or module.startswith(name if name.endswith("_") else f"{name}.")]
    assert found or not module.startswith("contract_test."), f"{module} belongs to no layer"
    return LAYERS[found[0]] if found else None


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, at any depth, with relative names made absolute."""
    package = path.relative_to(SOURCE).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join((*start, *filter(None, [node.module]))))
    return found


MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_layer_imports_only_layers_above_it(path):
    module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    own = layer_of(module)
    if own is None:  # the package's own front door
        return
    for imported in imports_of(path):
        other = layer_of(imported)
        assert other is None or other <= own, f"{module} must not import {imported}"


def test_the_scanner_and_the_scrubber_share_nothing():
    """One of them can only find what the other forgot as long as neither knows the other."""
    for path in MODULES:
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        imported = {name for name in imports_of(path) if name.startswith(("contract_test", "envelopes"))}
        if module.startswith("contract_test.scanner"):
            assert all(name.startswith("contract_test.scanner") for name in imported), module
        elif module.startswith("contract_test.schema"):
            assert not [name for name in imported if name.startswith("contract_test.scanner")], module


def test_every_module_was_seen():
    assert len(MODULES) > 40


@pytest.mark.parametrize("service", ["transport", "feed"])
def test_a_service_imports_value_objects_and_never_the_toolkit(service):
    sources = sorted((SOURCE.parent / "services" / service / "src").rglob("*.py"))
    assert sources
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("contract_test")], path
