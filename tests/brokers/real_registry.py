"""One real Apicurio Registry in memory, from Maven: started once for a run, and shared by its workers.

This module is also the program that starts it, beside the tests, and that ends it when the last worker has gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from brokers.real_kafka import RealKafkaMissingError, newest_java
from contract_test.transports.processes import free_port

VERSION = "2.6.13.Final"
ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
CACHE = Path(__file__).parents[2] / ".cache" / "apicurio" / VERSION
DESCRIPTION = f"Apicurio Registry {VERSION}"
API = "/apis/ccompat/v7"
# It lives for minutes: a small heap, and no time spent on the second compiler.
JVM = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
_SECONDS = 240
_USERS, _STATE, _LOG = "users", "state.json", "log"


class RealRegistryMissingError(Exception):
    """What a real registry needs is not installed here."""


class RegistryOfRun:
    """The registry that all workers of one run share, by a folder of theirs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._users = (folder / _USERS).open("w")
        fcntl.flock(self._users, fcntl.LOCK_SH)  # until this process ends
        with contextlib.suppress(FileExistsError), (folder / "started").open("x"):
            log = (folder / _LOG).open("w")
            self._helper = subprocess.Popen(
                [sys.executable, __file__, folder],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def url(self) -> str:
        """Wait until it answers, and return its address. Raises RealRegistryMissingError."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(FileNotFoundError, ValueError):
                state = json.loads((self._folder / _STATE).read_text())
                if "missing" in state:
                    raise RealRegistryMissingError(state["missing"])
                if "url" in state:
                    return str(state["url"])
                break
            time.sleep(0.1)
        raise AssertionError(f"{DESCRIPTION} did not start:\n{(self._folder / _LOG).read_text()[-3000:]}")


def _run(folder: Path) -> None:
    """Start it, say where, and end it when no worker uses it any more."""
    try:
        java, app = newest_java(), _fetched()
    except (RealKafkaMissingError, RealRegistryMissingError) as error:
        _tell(folder, {"missing": str(error)})
        return
    except subprocess.CalledProcessError as error:
        _tell(folder, {"failed": str(error)})
        return
    port = free_port()
    runner = next(app.glob("*-runner.jar"))
    options = [f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1", f"-XX:ErrorFile={folder}/jvm.log"]
    main = ["-cp", f"{runner}:{app}/lib/*", "io.quarkus.runner.GeneratedMain"]
    with subprocess.Popen([java, *JVM, *options, *main], cwd=folder) as server:
        try:
            has_url = False
            while server.poll() is None and not _is_unused(folder):
                has_url = has_url or _answers(folder, f"http://127.0.0.1:{port}{API}")
                time.sleep(0.2)
        finally:
            server.kill()


def _answers(folder: Path, url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/subjects", timeout=10) as answer:
            json.load(answer)
    except (OSError, ValueError):
        return False
    _tell(folder, {"url": url})
    return True


def _tell(folder: Path, state: dict[str, str]) -> None:
    partial = folder / "state.partial"
    partial.write_text(json.dumps(state))
    partial.rename(folder / _STATE)


def _is_unused(folder: Path) -> bool:
    with (folder / _USERS).open() as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _fetched() -> Path:
    """Return the unpacked application; the first process to ask fetches it, the others wait."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with (CACHE.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if CACHE.is_dir():
            return CACHE
        maven = shutil.which("mvn")
        if maven is None:
            raise RealRegistryMissingError("no Maven to fetch it: install one (Debian: apt-get install maven)")
        partial = CACHE.with_name(f"{CACHE.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = [maven, "--batch-mode", "--quiet", UNPACK, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={partial}"]
        subprocess.run(command, check=True, cwd=CACHE.parent)
        partial.rename(CACHE)
    return CACHE


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
