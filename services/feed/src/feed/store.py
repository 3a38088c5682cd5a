"""What the feed keeps, in SQLite or PostgreSQL: effects, outbox and offsets, changed in one transaction.

Effects and offsets exist once per generation: a replay builds a new generation beside the live one, and `LIVE` names
the one that is read and written. The outbox is one for all: what waits there is sent whichever generation lives.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic import BaseModel, computed_field
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

from .errors import UnusableError
from .tables import IDENTITY, LIVE, OUTBOX, SHARED, Tables, begin_sqlite, refuse_old_tables, set_up_sqlite, tables

_NEWEST = ("newest_at", "newest_like", "newest_name")
_NO_LIKE = (None, None, None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def as_microseconds(time: datetime) -> int:
    """Give microseconds since 1970: the times of every table."""
    return (time - _EPOCH) // _MICROSECOND


def as_time(microseconds: int) -> datetime:
    """Return the time so many microseconds after 1970, in UTC; the nearest that a datetime holds."""
    return _EPOCH + min(max(microseconds, _EARLIEST), _LATEST) * _MICROSECOND


class Reaction(NamedTuple):
    """A person's newest like or unlike of a message."""

    message_id: str
    liker_id: str
    at: int
    unliked: int
    """1 or 0. Of a like and an unlike at the same time, the unlike is the newer: it came to be after its like."""
    like_id: str
    liker_name: str
    notified: int
    """1 if the author was notified. The author is notified once, however often a like is taken back and given again."""


@dataclass(slots=True)
class Change:
    """What a batch adds to the counters of one message."""

    author_id: str
    likes: int = 0
    by_others: int = 0
    newest: tuple[int, str, str] | None = None
    """The newest like by somebody else: when, which, whose."""


class Push(NamedTuple):
    """A notification for an author; `offset` is the offset of the like in its partition."""

    offset: int
    like_id: str
    message_id: str
    author_id: str
    liker_name: str
    liked_at: int = 2**62
    """A push that an earlier version left in the outbox has none, and counts from when it was requested."""


_EARLIEST, _LATEST = (as_microseconds(each.replace(tzinfo=UTC)) for each in (datetime.min, datetime.max))  # noqa: DTZ901 - it gets one here

UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
"""What SQLAlchemy raises while the database is away, restarts, or is read-only after a failover."""
COLLISIONS = {"40001", "40P01"}
"""PostgreSQL's codes where two members changed the same rows: the later one starts again on what the first one left."""
SETUP_ERRORS = (
    "authentication failed", "does not exist", "resolve host", "translate host name", "certificate", "pg_hba.conf",
    "invalid port", "unable to open database file", "does not support SSL", "SSL error",
)  # fmt: skip
"""Words of an OperationalError, at the start, of a database that is set up wrong."""


def is_collision(error: Exception) -> bool:
    """Return True if another member changed the same rows meanwhile."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in COLLISIONS


class Item(BaseModel):
    """One line of an author's news feed: all likes of one message by others, collapsed."""

    message_id: str
    newest: str
    others: int
    at: datetime
    text: str | None
    likes: int

    @computed_field  # type: ignore[prop-decorator] # as pydantic documents it
    @property
    def line(self) -> str:
        """What the author reads."""
        who = {0: "likes", 1: "and 1 other like"}.get(self.others, f"and {self.others} others like")
        return f"{self.newest} {who} your message"


class Store:
    """The tables behind a URL; `sqlite://` is a store in memory, for tests. A plain path is an SQLite file.

    If the database is unavailable, the tables are made when the store is first used.
    """

    def __init__(self, url: str) -> None:
        url = url if ":" in url else f"sqlite:///{url}"
        isolation: dict[str, Any] = {}
        self.identity: str | None = None
        """What tells this store from every other one."""
        if url.startswith("sqlite"):
            one: Any = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
            self.engine = sa.create_engine(url, hide_parameters=True, **(one if url == "sqlite://" else {}))
            sa.event.listen(self.engine, "connect", set_up_sqlite)
            sa.event.listen(self.engine, "begin", begin_sqlite)
        else:
            # Two members that change the same row: the later one fails, and tries again on what the first one left.
            isolation["isolation_level"] = "REPEATABLE READ"
            options: Any = {
                "hide_parameters": True,
                "pool_pre_ping": True,
                "pool_timeout": 5,
                "connect_args": {"connect_timeout": 5},
            }
            try:
                self.engine = sa.create_engine(url, paramstyle="format", **options)  # by position: `Unit._many`
            except (sa.exc.ArgumentError, ValueError, ImportError) as error:
                raise UnusableError(f"--store cannot be used: {error}") from None
        self._reading = self.engine.execution_options(**isolation)
        self._writing = self.engine.execution_options(writes=True, **isolation)
        with suppress(*UNAVAILABLE):  # it is waited for
            self.prepare()

    def prepare(self) -> None:
        """Make the tables that are not there yet. Raises UnusableError where the database is set up wrong."""
        if self.identity:
            return
        try:
            with self.engine.execution_options(writes=True).begin() as connection:
                self._prepare(connection)
        except sa.exc.DBAPIError as error:
            if isinstance(error, UNAVAILABLE) and not any(each in str(error.orig) for each in SETUP_ERRORS):
                raise
            raise UnusableError(f"the database cannot be used. Check --store. The error was: {error.orig}") from None

    def _prepare(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":  # of several that start together, one makes the tables
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("feed"))))
        refuse_old_tables(connection)
        SHARED.create_all(connection)
        if connection.scalar(sa.select(LIVE.c.generation)) is None:
            connection.execute(sa.insert(LIVE).values(row=1, generation="first"))
            tables("first").metadata.create_all(connection)
        if connection.scalar(sa.select(IDENTITY.c.identity)) is None:
            connection.execute(sa.insert(IDENTITY).values(row=1, identity=secrets.token_hex(8)))
        self.identity = connection.scalar(sa.select(IDENTITY.c.identity))

    @contextmanager
    def _connect(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        self.prepare()
        with engine.begin() as connection:
            yield connection

    @contextmanager
    def begin(self, *, alone: bool = False) -> Iterator[Unit]:
        """Change the live generation: everything inside happens, or nothing does.

        `alone`: nobody else changes anything until it ends, so that another generation can take over. Raises
        sqlalchemy.exc.OperationalError where the database is away, or another member changed the same rows meanwhile.
        """
        with self._connect(self._writing) as connection:
            query = sa.select(LIVE.c.generation).with_for_update(read=not alone)
            yield Unit(connection, connection.scalars(query).one())

    @contextmanager
    def read(self) -> Iterator[tuple[sa.Connection, Tables]]:
        """Read the live generation as it is at one moment."""
        with self._connect(self._reading) as connection:
            yield connection, tables(connection.scalars(sa.select(LIVE.c.generation)).one())

    def known_offsets(self) -> dict[str, int]:
        """Return the next offset to read in each partition of which something was read, or is to be read."""
        with self.read() as (connection, t):
            return {row.partition: row.next_offset for row in connection.execute(sa.select(t.offsets))}

    def offsets(self, first: Mapping[str, int]) -> dict[str, int]:
        """Return the next offset to read in each partition; keep the one that is given if there is none."""
        with self.begin() as unit:
            return unit.offsets(first)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        with self.read() as (connection, t):
            query = sa.select(t.counters.c.likes).where(t.counters.c.message_id == message_id)
            return connection.scalar(query) or 0

    def items(self, author_id: str, limit: int) -> list[Item]:
        """Give an author's news feed, newest first."""
        with self.read() as (connection, t):
            c = t.counters.c
            query = (
                sa.select(c.message_id, c.newest_name, c.by_others, c.newest_at, t.posts.c.text, c.likes)
                .join_from(t.counters, t.posts, c.message_id == t.posts.c.message_id, isouter=True)
                .where(c.author_id == author_id, c.by_others > 0)
                .order_by(c.newest_at.desc(), c.message_id)
                .limit(limit)
            )
            return [
                Item(message_id=each, newest=name, others=likers - 1, at=as_time(at), text=text, likes=likes)
                for each, name, likers, at, text, likes in connection.execute(query)
            ]

    def waiting(self, partitions: Collection[str]) -> tuple[str, int, int, list[Push]] | None:
        """Return the oldest pushes of these partitions that wait: partition, offset of the last, when, pushes."""
        query = (
            sa.select(OUTBOX)
            .where(OUTBOX.c.partition.in_(partitions))
            .order_by(OUTBOX.c.partition, OUTBOX.c.offset)
            .limit(1)
        )
        with self._connect(self.engine) as connection:
            row = connection.execute(query).first()
        return row and (row.partition, row.offset, row.requested_at, [Push(*push) for push in row.pushes])

    def backlog(self) -> tuple[int, int]:
        """Return how many pushes wait in the outbox, and when the oldest of them was requested; 0 if none waits."""
        pushes, oldest = sa.func.sum(sa.func.json_array_length(OUTBOX.c.pushes)), sa.func.min(OUTBOX.c.requested_at)
        with self._connect(self.engine) as connection:
            count, since = connection.execute(sa.select(pushes, oldest)).one()
        return count or 0, since or 0

    def waiting_partitions(self) -> set[str]:
        """Return every partition whose pushes wait."""
        with self._connect(self.engine) as connection:
            return set(connection.scalars(sa.select(OUTBOX.c.partition).distinct()))

    def close(self) -> None:
        """Close the connections to the database."""
        self.engine.dispose()


class Unit:
    """One transaction on one generation. Each method takes a whole batch, in as many statements as for one."""

    def __init__(self, connection: sa.Connection, generation: str) -> None:
        self._connection, self.generation, self._tables = connection, generation, tables(generation)
        dialect, self._each = (sqlite, "json_each") if connection.dialect.name == "sqlite" else (
            postgresql, "json_array_elements")  # fmt: skip
        self._insert: Any = dialect.insert

    def offsets(self, first: Mapping[str, int]) -> dict[str, int]:
        """Return the next offset to read in each partition, and lock it until the transaction ends.

        `first` has the partitions, and the offset to keep if there is none.
        """
        table = self._tables.offsets
        self._many(self._insert(table).on_conflict_do_nothing(), list(first.items()))
        query = sa.select(table).where(table.c.partition.in_(first)).order_by(table.c.partition).with_for_update()
        return {row.partition: row.next_offset for row in self._connection.execute(query)}

    def all_offsets(self) -> dict[str, int]:
        """Return the next offset to read in each partition that is known."""
        return {row.partition: row.next_offset for row in self._connection.execute(sa.select(self._tables.offsets))}

    def advance(self, offsets: Mapping[str, int]) -> None:
        """Set the next offset to read in each partition."""
        self._upsert(self._tables.offsets, list(offsets.items()))

    def remember(self, posts: Sequence[tuple[str, str]]) -> None:
        """Keep the texts of posts, as (message, text); the first one of a message stays."""
        self._many(self._insert(self._tables.posts).on_conflict_do_nothing(), posts)

    def reactions(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], Reaction]:
        """Return the newest reactions by (message, liker); whoever never liked a message is missing."""
        if not pairs:
            return {}
        likes = self._tables.likes
        wanted: Any = getattr(sa.func, self._each)(sa.bindparam("pairs", list(pairs), sa.JSON)).table_valued("value")
        message_id, liker_id = (wanted.c.value.op("->>")(sa.literal_column(place)) for place in "01")
        query = sa.select(likes).join_from(
            wanted, likes, sa.and_(likes.c.message_id == message_id, likes.c.liker_id == liker_id)
        )
        return {(row[0], row[1]): Reaction(*row) for row in self._connection.execute(query)}

    def keep(
        self, reactions: Sequence[Reaction], changes: Mapping[str, Change], unliked_likes: Sequence[tuple[str, str]]
    ) -> None:
        """Store reactions, and count by message; `unliked_likes` has (message, like) of each like taken back."""
        self._upsert(self._tables.likes, reactions)
        insert = self._insert(self._tables.counters)
        old, new = self._tables.counters.c, insert.excluded
        newer = sa.tuple_(new.newest_at, new.newest_like) > sa.tuple_(old.newest_at, old.newest_like)
        sums = {name: old[name] + new[name] for name in ("likes", "by_others")}
        newest = {
            name: sa.case((sa.or_(old.newest_at.is_(None), newer), new[name]), else_=old[name]) for name in _NEWEST
        }
        self._many(
            insert.on_conflict_do_update(index_elements=["message_id"], set_=sums | newest),
            [(each, c.author_id, c.likes, c.by_others, *(c.newest or _NO_LIKE)) for each, c in changes.items()],
        )
        if unliked_likes:
            self._find_newest_again(unliked_likes)

    def enqueue(self, partition: str, requested_at: int, pushes: Sequence[Push]) -> None:
        """Put the pushes of a batch into the outbox, under the offset of the last of their causes."""
        self._connection.execute(
            sa.insert(OUTBOX).values(
                partition=partition, offset=pushes[-1].offset, requested_at=requested_at, pushes=pushes
            )
        )

    def sent(self, partition: str, offset: int) -> None:
        """Take pushes out of the outbox."""
        self._connection.execute(sa.delete(OUTBOX).where(OUTBOX.c.partition == partition, OUTBOX.c.offset == offset))

    def make_generation(self, name: str) -> None:
        """Make an empty generation in place of all that are not live. Raises ValueError for a bad name."""
        if name == self.generation or not re.fullmatch("[a-z0-9_]{1,30}", name):
            raise ValueError(f"{name!r} is the live generation, or not up to 30 of a-z, 0-9 and _: choose another name")
        for table in sa.inspect(self._connection).get_table_names():
            generation = table.removeprefix("offsets_")
            if generation not in (table, self.generation):
                tables(generation).metadata.drop_all(self._connection)
        tables(name).metadata.create_all(self._connection)

    def of(self, generation: str) -> Unit:
        """Give the same transaction, on another generation."""
        return Unit(self._connection, generation)

    def go_live(self) -> None:
        """Make this generation the live one."""
        self._connection.execute(sa.update(LIVE).values(generation=self.generation))

    def _find_newest_again(self, unliked_likes: Sequence[tuple[str, str]]) -> None:
        """Name the newest liker that is left, of each message that lost the newest one."""
        likes, counters = self._tables.likes.name, self._tables.counters.name
        self._connection.execute(
            sa.text(
                f"UPDATE {counters} SET ({', '.join(_NEWEST)}) = (SELECT at, like_id, liker_name FROM {likes} AS l"  # noqa: S608 - our own names
                f" WHERE l.message_id = {counters}.message_id AND unliked = 0 AND liker_id <> author_id"
                " ORDER BY at DESC, like_id DESC LIMIT 1) WHERE message_id = :message_id AND newest_like = :like_id"
            ),
            [{"message_id": message_id, "like_id": like_id} for message_id, like_id in unliked_likes],
        )

    def _upsert(self, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        insert = self._insert(table)
        values = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
        self._many(insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=values), rows)

    def _many(self, insert: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows, with their values in the order of the columns, in the order of their keys.

        They go straight to the driver: SQLAlchemy's care for every row costs more than the database's. The order keeps
        members from waiting for each other in a circle, and pages of the tables in the cache.
        """
        if not rows:
            return
        values: Any = sorted(rows)
        if self._connection.dialect.name == "postgresql":  # a statement for all of them, and an array for each column
            columns = list(insert.table.c)
            arrays = [sa.cast(sa.bindparam(None, required=True), postgresql.ARRAY(each.type)) for each in columns]
            insert = insert.from_select(columns, sa.select(sa.text("*")).select_from(sa.func.unnest(*arrays)))
            values = tuple(map(list, zip(*values, strict=True)))
        self._connection.exec_driver_sql(str(insert.compile(dialect=self._connection.dialect)), values)
