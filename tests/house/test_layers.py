"""Which room may import which: foundations in their order, the rooms that people come for by a short table."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}

FOUNDATIONS = ["data", "scanner", "schema", "compare", "scrub", "files", "transports", "recordings", "pages"]
"""A foundation imports only foundations before it."""

ROOMS = {
    "record": set(),
    "replay": set(),
    "generate": set(),
    "lint": set(),
    "infer": {"compat", "lint"},
    "compat": {"replay"},
    "gate": set(),
    "asyncapi": {"compat"},
    "package": {"compat", "generate"},
    "registry": {"compat"},
    "site": {"compat", "gate", "replay"},
    "start": {"gate", "generate", "record", "replay", "site"},
}
"""What people come for: a room imports foundations, and of the other rooms only these."""

EDGES = {"cli", "mcp", "pytest_plugin"}


def room_of(module: str) -> str:
    """Return the first name below `contract_test`, or the empty text outside of it."""
    return module.split(".")[1] if module.startswith("contract_test.") else ""


def allowed(room: str) -> set[str]:
    """Return the rooms that a room may import, itself included."""
    if room in FOUNDATIONS:
        return set(FOUNDATIONS[: FOUNDATIONS.index(room) + 1])
    if room in ROOMS:
        return {*FOUNDATIONS, room} | ROOMS[room]
    if room == "report":
        return {*FOUNDATIONS, *ROOMS, room}
    assert room in EDGES, f"contract_test/{room}/ is in no table of this test"
    return {*FOUNDATIONS, *ROOMS, "report", room} | ({"mcp"} if room == "cli" else set())


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, at any depth, with relative names made absolute."""
    package = path.relative_to(SOURCE).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*start, *filter(None, [node.module])))
            names = {f"{origin}.{alias.name}" for alias in node.names}
            found |= names & MODULES.keys() or {origin}
    return found


def modules_imported_by(module: str) -> set[str]:
    """Return the modules of this project that a module imports, also as `from package import module`."""
    return {name for name in imports_of(MODULES[module]) if name in MODULES} - {module}


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_its_table_allows(module):
    room = room_of(module)
    if not room:
        assert module == "contract_test" or not {name for name in imports_of(MODULES[module]) if room_of(name)}
        return
    for imported in modules_imported_by(module):
        other = room_of(imported)
        assert not other or other in allowed(room), f"{module} must not import {imported}"


def test_the_rooms_have_no_circle():
    done: set[str] = set()
    while ready := {room for room, used in ROOMS.items() if room not in done and used <= done}:
        done |= ready
    assert done == set(ROOMS)


def test_no_modules_import_each_other_in_a_circle():
    graph = {module: modules_imported_by(module) for module in MODULES}
    list(TopologicalSorter(graph).static_order())  # raises a CycleError that names the circle


def test_the_scanner_and_the_scrubber_share_nothing():
    """One of them can only find what the other forgot as long as neither knows the other."""
    for module, path in MODULES.items():
        imported = {name for name in imports_of(path) if name.startswith(("contract_test", "envelopes"))}
        if module.startswith("contract_test.scanner"):
            assert all(name.startswith("contract_test.scanner") for name in imported), module
        elif module.startswith("contract_test.scrub"):
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
