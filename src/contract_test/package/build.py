"""Wheels and sdists: the value objects with their contracts, and the recordings as a distribution of their own."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog
from contract_test.data.errors import CatalogError
from contract_test.data.texts import listed
from contract_test.files.git_history import READ, is_recording, pathspecs, uncommitted
from contract_test.files.installed import RECORDINGS_FILE
from contract_test.files.lock import FILE as LOCK
from contract_test.files.lock import changed_versions, unregistered
from contract_test.files.schemas import with_inner_uris
from contract_test.generate.package import check, generate
from contract_test.package.metadata import Project

_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")


def inputs(catalog: Catalog, project: Project, source: Path) -> list[str]:
    """Return everything that goes into the distributions, as git names it. `source` is the package's directory."""
    paths = [catalog.root, source, project.folder / "pyproject.toml", *project.files()]
    return pathspecs(catalog.root, paths, project.license_patterns)


def check_ready(catalog: Catalog, source: Path) -> None:
    """Raise CatalogError where a version may still change, or where the generated code is out of date."""
    if missing := unregistered(catalog):
        raise CatalogError(
            f"not registered: {listed([each.name for each in missing])}",
            place=str(catalog.root / LOCK),
            advice="A package holds registered versions only. Run contract-test register.",
        )
    if changed := changed_versions(catalog):
        raise CatalogError(
            f"changed since they were registered: {listed([each.name for each in changed])}",
            place=str(catalog.root / LOCK),
            advice="Run contract-test lint, which shows the change.",
        )
    if (source / "messages").is_dir() and (stale := check(catalog, source.name, source.parent).stale):
        raise CatalogError(
            f"out of date: {listed([str(path) for path in stale])}",
            place=str(source),
            advice="Run contract-test generate --all, and commit the result.",
        )


def check_committed(catalog: Catalog, project: Project, source: Path) -> None:
    """Raise CatalogError where something that goes into the package is not committed."""
    if changed := uncommitted(catalog.root, inputs(catalog, project, source)):
        raise CatalogError(
            f"not committed: {listed(changed)}",
            place=str(catalog.root),
            advice="Commit it first: the version is derived from commits. Or name one with --version.",
        )


def build(catalog: Catalog, project: Project, source: Path, version: str, output: Path) -> list[Path]:
    """Write a wheel and an sdist of both distributions into `output`, and return their paths.

    The same content gives the same bytes. `source` is the directory of the package, which need not exist: value objects
    are generated, and modules that somebody wrote beside them are copied.
    """
    output.mkdir(parents=True, exist_ok=True)
    contracts, recordings = _contract_files(catalog.root)
    with tempfile.TemporaryDirectory(prefix="contract-test-package-") as folder:
        stage = Path(folder) / "contracts"
        package = stage / "src" / source.name
        if source.is_dir():
            root = catalog.root.resolve()
            shutil.copytree(source, package, ignore=lambda place, names: {
                *_NOT_COPIED(place, names), *(name for name in names if Path(place, name).resolve() == root),
            })  # fmt: skip
        generate(catalog, source.name, package.parent, again=True)
        with (package / "__init__.py").open("a", encoding="utf-8") as file:
            file.write(f'\n__version__ = "{version}"\n__contracts_digest__ = "sha256:{digest_of(contracts)}"\n')
        _write(package / "contracts", contracts)
        for path in project.files():
            target = stage / path.relative_to(project.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        built = _build(stage, project.of_contracts(version), source.name, output)

        stage = Path(folder) / "recordings"
        recordings[RECORDINGS_FILE] = f'version = "{version}"\n'.encode()
        _write(stage / "src" / source.name / "contracts", recordings)
        return [*built, *_build(stage, project.of_recordings(version), source.name, output)]


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return SHA-256 over files by their names. Line ends do not count."""
    found = hashlib.sha256()
    for name, content in sorted(files.items()):
        lines = content.replace(b"\r\n", b"\n")
        found.update(f"{name}\0{len(lines)}\0".encode() + lines)
    return found.hexdigest()


def _contract_files(root: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files of a contracts directory by name, without recordings, and the recordings."""
    files: dict[str, bytes] = {}
    recordings: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if not path.name.endswith(READ) or not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            advice = "Copy the file into it."
            raise CatalogError("lies outside the contracts directory (a link?)", place=str(path), advice=advice)
        content = path.read_bytes()
        content = with_inner_uris(content, root) if path.suffix == ".json" else content
        (recordings if is_recording(name) else files)[name.as_posix()] = content
    return files, recordings


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _build(stage: Path, table: dict[str, Any], package: str, output: Path) -> Iterator[Path]:
    import tomli_w
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    document = {
        "build-system": {"requires": ["hatchling>=1.27"], "build-backend": "hatchling.build"},
        "project": table,
        "tool": {"hatch": {"build": {"ignore-vcs": True, "targets": {"wheel": {"packages": [f"src/{package}"]}}}}},
    }
    (stage / "pyproject.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
    for builder in (WheelBuilder(str(stage)), SdistBuilder(str(stage))):
        for path in builder.build(directory=str(output), versions=["standard"]):
            yield output / Path(path).name
