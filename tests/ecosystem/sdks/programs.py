"""Fetch and build what programs in other languages need, once for a checkout, and run those beside this module."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

HERE = Path(__file__).parent
CACHE = Path(__file__).parents[3] / ".cache" / "sdks"


class RuntimeMissingError(Exception):
    """This machine lacks what the programs of a language need."""


def node(script: str) -> list[str]:
    """Return the command that runs a script of node/."""
    return node_script(HERE / "node", script)


def node_script(sources: Path, script: str) -> list[str]:
    """Return the command that runs a script among sources with a package.json and its lock file."""
    return [find("node", "nodejs"), str(_built(sources, _install_packages) / script)]


def unpacked(sources: Path) -> Path:
    """Return the folder with the contents of the packages in a packages.json, by name and integrity. None is run."""
    return _built(sources, _unpack_packages)


def go() -> list[str]:
    """Return the command of the program in go/."""
    return [str(_built(HERE / "go", _build_program) / "events")]


def java() -> list[str]:
    """Return the command of the program in java/."""
    folder = _built(HERE / "java", _compile_class)
    return [find("java", "default-jdk-headless"), "-cp", f"{folder}:{folder}/*", "Events"]


def java_source() -> list[str]:
    """Return the command that runs a source file which uses Jackson."""
    folder = _built(HERE / "java", _compile_class)
    return [find("java", "default-jdk-headless"), "-cp", ":".join(map(str, folder.glob("jackson-*.jar")))]


def run_lines(command: list[str], action: str, lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give a program one JSON object a line, and return the ones that it answers."""
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return [json.loads(line) for line in _done([*command, action], input=text).split("\n") if line]


def run_paths(command: list[str], paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Give a program one path a line, and return the JSON objects that it answers."""
    return [
        json.loads(line) for line in _done(command, input="".join(f"{path}\n" for path in paths)).split("\n") if line
    ]


def find(program: str, package: str) -> str:
    """Return the path of a program, or raise RuntimeMissingError with the package of Debian that has it."""
    path = shutil.which(program)
    if path is None:
        raise RuntimeMissingError(f"no {program}: install one (Debian: apt-get install {package})")
    return path


def _built(folder_of_sources: Path, build: Callable[[Path], None]) -> Path:
    """Return the folder of a program under .cache; the first process that asks builds it, the others wait."""
    language = folder_of_sources.name
    sources = sorted(path for path in folder_of_sources.iterdir() if path.is_file())
    stamp = "\n".join(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sources)
    folder = CACHE / language
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / f"{language}.lock"):
        built = folder / "built"
        if not built.is_file() or built.read_text() != stamp:
            for path in sources:
                shutil.copy2(path, folder)
            build(folder)
            built.write_text(stamp)
    return folder


def _install_packages(folder: Path) -> None:
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _done([find("npm", "npm"), "ci", *options], cwd=folder)


def _unpack_packages(folder: Path) -> None:
    pinned: dict[str, str] = json.loads((folder / "packages.json").read_text())
    command = [find("npm", "npm"), "pack", "--json", "--ignore-scripts", "--loglevel=error", *pinned]
    packed = json.loads(_done(command, cwd=folder))
    assert [each["id"] for each in packed] == list(pinned)
    for each in packed:
        archive = folder / each["filename"]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == pinned[each["id"]], f"another {each['id']} than pinned"
        with tarfile.open(archive) as opened:
            opened.extractall(folder / each["filename"].removesuffix(".tgz"), filter="data")


def _build_program(folder: Path) -> None:
    _done([find("go", "golang-go"), "build", "-o", "events", "."], cwd=folder)


def _compile_class(folder: Path) -> None:
    maven = [find("mvn", "maven"), "--quiet", "--batch-mode", "dependency:copy-dependencies"]
    _done([*maven, f"-DoutputDirectory={folder}"], cwd=folder)
    _done([find("javac", "default-jdk-headless"), "-cp", f"{folder}/*", "Events.java"], cwd=folder)


def _done(command: list[str], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
