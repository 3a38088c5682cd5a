"""PostgreSQL servers of a test run: one alone, and a primary with a replica that takes over."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import free_port, wait_until


class PostgreSQL:
    """A PostgreSQL server of this run alone; it does not run as root, so root steps down."""

    def __init__(self, primary=None, port=None):
        self._programs, self._user = programs(), "postgres" if os.geteuid() == 0 else None
        self._folder = tempfile.mkdtemp(prefix="feed-postgresql-")
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = port or free_port()
        if primary is None:
            self._run("initdb", "-D", self._data, "-U", "feed", "-A", "trust", "--no-sync")
        else:
            self._run(
                "pg_basebackup", "-D", self._data, "-d", primary.dsn, "-R", "-X", "stream", "-c", "fast", "--no-sync"
            )
        self.dsn = f"host=127.0.0.1 port={self.port} user=feed dbname=postgres"
        self.url = f"postgresql+psycopg://feed@127.0.0.1:{self.port}/postgres"
        self._engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self.start()

    @property
    def _data(self):
        return f"{self._folder}/data"

    def _run(self, program, *arguments):
        command = [self._programs / program, *arguments]
        subprocess.run(command, user=self._user, cwd=self._folder, check=True, capture_output=True)

    def start(self):
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", self._folder, "-F"]
        self._server = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *options],
            user=self._user, cwd=self._folder, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(lambda: connects(self.url))

    def stop(self, number=signal.SIGINT):  # "fast": it does not wait for its clients
        self._server.send_signal(number)
        self._server.wait()

    def restart(self, number=signal.SIGINT):
        self.stop(number)
        self.start()

    def remove(self):
        shutil.rmtree(self._folder)

    def run(self, statement):
        """Run a statement; return the first value of its first row, if it has any."""
        with self._engine.connect() as connection:
            result = connection.exec_driver_sql(statement)
            return result.scalar() if result.returns_rows else None

    def disconnect(self, database):
        """End every connection to a database."""
        self.run(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'")

    @contextmanager
    def hanging(self, database):
        """Have every connection to a database hang, and every new one, too."""
        with self._engine.connect() as connection:
            query = f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}'"
            pids = [self._server.pid, *connection.exec_driver_sql(query).scalars().all()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


class Pair:
    """A primary and its replica. Clients know both addresses, and use the one that accepts writes."""

    def __init__(self):
        self.primary = PostgreSQL()
        self.replica = PostgreSQL(self.primary)
        hosts = "&".join(f"host=127.0.0.1:{each.port}" for each in (self.primary, self.replica))
        self.url = f"postgresql+psycopg://feed@/postgres?{hosts}&target_session_attrs=read-write"

    def replica_is_up_to_date(self):
        """Return True if the replica has all that the primary has written."""
        return self.primary.run("SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication")

    def stop_replicating(self):
        """Have the replica miss what the primary writes from now on."""
        self.replica.run("ALTER SYSTEM SET primary_conninfo = ''")
        self.replica.run("SELECT pg_reload_conf()")
        wait_until(lambda: not self.primary.run("SELECT count(*) FROM pg_stat_replication"))

    def fail_over(self, between=lambda: None):
        """Kill the primary and have the replica take over; then make a new replica where the old primary was."""
        self.primary.stop(signal.SIGKILL)
        between()
        assert self.replica.run("SELECT pg_promote(true, 120)")
        lost, self.primary = self.primary, self.replica
        self.replica = PostgreSQL(self.primary, lost.port)
        lost.remove()

    def remove(self):
        for each in (self.replica, self.primary):
            each.stop()
            each.remove()


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "/none").parent]
    if not (found[-1] / "initdb").exists():
        missing = "NOT RUN on PostgreSQL: there is no server here (Debian: apt-get install postgresql)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found[-1]


def connects(url):
    try:
        return bool(sa.create_engine(url).connect())
    except sa.exc.OperationalError:
        return False
