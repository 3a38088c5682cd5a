"""One real Apicurio Registry in memory, from Maven: started once for a run, and shared by its workers.

This module is also the program that runs it, see `shared`.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from brokers.real_kafka import RealKafkaMissingError, newest_java
from brokers.shared import ServerOfRun, is_unused, tell
from contract_test.transports.processes import free_port

VERSION = "2.6.13.Final"
ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
CACHE = Path(__file__).parents[2] / ".cache" / "apicurio" / VERSION
DESCRIPTION = f"Apicurio Registry {VERSION}"
API = "/apis/ccompat/v7"
# It lives for minutes: a small heap, and no time spent on the second compiler.
JVM = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


class RealRegistryMissingError(Exception):
    """What a real registry needs is not installed here."""


class RegistryOfRun:
    """The registry that all workers of one run share, by a folder of theirs."""

    def __init__(self, folder: Path) -> None:
        self._server = ServerOfRun(__file__, folder)

    def url(self) -> str:
        """Wait until it answers, and return its address. Raises RealRegistryMissingError."""
        state = self._server.state()
        if "missing" in state:
            raise RealRegistryMissingError(state["missing"])
        return str(state["url"])


def _run(folder: Path) -> None:
    """Start it, say where, and end it when no worker uses it any more."""
    try:
        java, app = newest_java(), _fetched()
    except (RealKafkaMissingError, RealRegistryMissingError) as error:
        tell(folder, {"missing": str(error)})
        return
    except subprocess.CalledProcessError as error:
        tell(folder, {"failed": str(error)})
        return
    port = free_port()
    runner = next(app.glob("*-runner.jar"))
    options = [f"-Dquarkus.http.port={port}", "-Dquarkus.http.host=127.0.0.1", f"-XX:ErrorFile={folder}/jvm.log"]
    main = ["-cp", f"{runner}:{app}/lib/*", "io.quarkus.runner.GeneratedMain"]
    with subprocess.Popen([java, *JVM, *options, *main], cwd=folder) as server:
        try:
            has_url = False
            while server.poll() is None and not is_unused(folder):
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
    tell(folder, {"url": url})
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
