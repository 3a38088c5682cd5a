"""A PostgreSQL server for a benchmark: new, with the server's own settings, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract_test.transports.processes import free_port


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the address of an empty database, as SQLAlchemy reads it. Raises RuntimeError where no server is installed.

    The server refuses to run as root, so root runs it as the user `postgres`.
    """
    programs = folder_of_programs()
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="bench-postgresql-") as folder:
        if user:
            shutil.chown(folder, user)
        port, data = free_port(), f"{folder}/data"
        make = [programs / "initdb", "-D", data, "-U", "bench", "-A", "trust"]
        control = [programs / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log"]
        start = [*control, "-o", f"-p {port} -h 127.0.0.1 -k {folder}", "start"]
        try:
            subprocess.run(make, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(start, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"PostgreSQL does not start: {error}") from error
        try:
            yield f"postgresql+psycopg://bench@127.0.0.1:{port}/postgres"
        finally:
            stop = [*control, "-m", "fast", "stop"]
            subprocess.run(stop, user=user, cwd=folder, check=False, stdout=subprocess.DEVNULL)


def folder_of_programs() -> Path:
    """Find `initdb` and its like: Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
    if not found[-1].is_file():
        raise RuntimeError("no PostgreSQL server here (Debian: apt-get install postgresql)")
    return found[-1].parent
