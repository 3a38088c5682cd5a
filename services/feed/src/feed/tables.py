"""The tables of the store, and how SQLite is set up for them."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from .errors import OldTablesError

_RENAMED = {
    "likes_": {"told": "notified"},
    "offsets_": {"log": "partition", "next": "next_offset"},
    "outbox": {"log": "partition", "asked_at": "requested_at"},
}


def refuse_old_tables(connection: sa.Connection) -> None:
    """Raise OldTablesError with the statements that rename the columns of an earlier version."""
    inspector = sa.inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    statements = [
        f"ALTER TABLE {table} RENAME COLUMN {quote(old)} TO {quote(new)};"
        for table in sorted(inspector.get_table_names())
        for prefix, renamed in _RENAMED.items()
        if table.startswith(prefix)
        for old, new in renamed.items()
        if old in {column["name"] for column in inspector.get_columns(table)}
    ]
    if statements:
        raise OldTablesError(
            "the store has tables of an earlier version. Let that version send what waits in the table outbox, stop"
            f" every member, make a backup, and run: {' '.join(statements)}"
        )


def set_up_sqlite(connection: Any, _: object) -> None:
    """Set a new connection to SQLite up."""
    connection.isolation_level = None  # the driver opens no transactions: `begin_sqlite` does
    # In WAL mode, NORMAL may lose the last transactions when the machine loses power. Their offsets go with them, so
    # the stream brings them back. The rest buys throughput with 64 MiB of memory and 40 MiB of log.
    for pragma in (
        "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000", "cache_size = -65536",
        "wal_autocheckpoint = 10000",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction, one that writes where the connection was asked for with `writes`."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _key(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _column(name: str, kind: Any = sa.Text, *, nullable: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, index=index)


class Tables:
    """The tables of one generation, with its name as suffix; columns are in the order of the store's rows."""

    def __init__(self, generation: str) -> None:
        self.metadata, self._generation = sa.MetaData(), generation
        self.posts = self._table("posts", _key("message_id"), _column("text"))
        self.likes = self._table(
            "likes", _key("message_id"), _key("liker_id"), _column("at", sa.BigInteger),
            _column("unliked", sa.SmallInteger), _column("like_id"), _column("liker_name"),
            _column("notified", sa.SmallInteger),
        )  # fmt: skip
        self.counters = self._table(
            "counters", _key("message_id"), _column("author_id", index=True), _column("likes", sa.BigInteger),
            _column("by_others", sa.BigInteger), _column("newest_at", sa.BigInteger, nullable=True),
            _column("newest_like", nullable=True), _column("newest_name", nullable=True),
        )  # fmt: skip
        self.offsets = self._table("offsets", _key("partition"), _column("next_offset", sa.BigInteger))

    def _table(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        return sa.Table(f"{name}_{self._generation}", self.metadata, *columns, sqlite_with_rowid=False)


tables = cache(Tables)

SHARED = sa.MetaData()
IDENTITY = sa.Table("identity", SHARED, _key("row", sa.Integer), _column("identity"))
LIVE = sa.Table("live", SHARED, _key("row", sa.Integer), _column("generation"))
OUTBOX = sa.Table(
    "outbox", SHARED, _key("partition"), _key("offset", sa.BigInteger), _column("requested_at", sa.BigInteger),
    _column("pushes", sa.JSON),
)  # fmt: skip
