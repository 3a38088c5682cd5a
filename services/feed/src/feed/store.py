"""What the feed keeps, in SQLite or PostgreSQL: effects, outbox and offsets, changed in one transaction.

Effects and offsets exist once per generation: a replay builds a new generation beside the live one, and `LIVE` names
the one that is read and written. The outbox is one for all: what waits there is sent whichever generation lives.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Post(NamedTuple):
    """A message that somebody posted."""

    message_id: str
    author_id: str
    group_id: str
    text: str
    posted_at: datetime


class Like(NamedTuple):
    """Somebody's like of somebody's message."""

    message_id: str
    liker_id: str
    liker_name: str
    author_id: str
    like_id: str
    liked_at: datetime


@dataclass(frozen=True)
class Item:
    """One line of an author's news feed: all likes of one message by others, collapsed."""

    message_id: str
    newest: str
    others: int
    at: datetime
    text: str | None

    def __str__(self) -> str:
        who = {0: "likes", 1: "and 1 other like"}.get(self.others, f"and {self.others} others like")
        return f"{self.newest} {who} your message"


class Store:
    """The tables behind a URL; `sqlite://` is a store in memory, for tests. A plain path is an SQLite file."""

    def __init__(self, url: str) -> None:
        url = url if ":" in url else f"sqlite:///{url}"
        in_memory = (
            {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if url == "sqlite://" else {}
        )
        style = "qmark" if url.startswith("sqlite") else "format"  # by position, for `Unit._many`
        self.engine = sa.create_engine(url, pool_pre_ping=True, paramstyle=style, **in_memory)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(writes=True)
        with self._writing.begin() as connection:
            if connection.dialect.name == "postgresql":  # of several that start together, one makes the tables
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("feed"))))
            _SHARED.create_all(connection)
            if connection.scalar(sa.select(LIVE.c.generation)) is None:
                connection.execute(sa.insert(LIVE).values(row=1, generation="first"))
                tables("first").metadata.create_all(connection)

    @contextmanager
    def begin(self, *, alone: bool = False) -> Iterator[Unit]:
        """Change the live generation: everything inside happens, or nothing does.

        `alone`: nobody else changes anything until it ends, so that another generation can take over.
        """
        with self._writing.begin() as connection:
            query = sa.select(LIVE.c.generation).with_for_update(read=not alone)
            yield Unit(connection, connection.scalars(query).one())

    @contextmanager
    def read(self) -> Iterator[tuple[sa.Connection, Tables]]:
        """Read the live generation as it is at one moment."""
        with self.engine.begin() as connection:
            yield connection, tables(connection.scalars(sa.select(LIVE.c.generation)).one())

    def offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """Give the offset that each partition goes on from."""
        with self.begin() as unit:
            return unit.offsets(partitions)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        with self.read() as (connection, t):
            query = sa.select(t.counters.c.likes).where(t.counters.c.message_id == message_id)
            return connection.scalar(query) or 0

    def post(self, message_id: str) -> Post | None:
        """Look a message up."""
        with self.read() as (connection, t):
            row = connection.execute(sa.select(t.posts).where(t.posts.c.message_id == message_id)).first()
        if row is None:
            return None
        return Post(row.message_id, row.author_id, row.group_id, row.text, _time(row.posted_at))

    def items(self, author_id: str, limit: int) -> list[Item]:
        """Give an author's news feed, newest first."""
        with self.read() as (connection, t):
            query = (
                sa.select(t.counters, t.posts.c.text)
                .join_from(t.counters, t.posts, t.counters.c.message_id == t.posts.c.message_id, isouter=True)
                .where(t.counters.c.author_id == author_id, t.counters.c.by_others > 0)
                .order_by(t.counters.c.newest_at.desc(), t.counters.c.message_id)
                .limit(limit)
            )
            rows = connection.execute(query).all()
        return [
            Item(row.message_id, row.newest_name, row.by_others - 1, _time(row.newest_at), row.text) for row in rows
        ]

    def waiting(self, partitions: Collection[int], limit: int) -> list[tuple[int, int, bytes]]:
        """Give the oldest pushes of these partitions that were not sent yet: partition, offset of the cause, job."""
        query = (
            sa.select(OUTBOX).where(OUTBOX.c.partition.in_(partitions)).order_by(OUTBOX.c.partition, OUTBOX.c.offset)
        )
        with self.engine.begin() as connection:
            return [(row.partition, row.offset, row.job) for row in connection.execute(query.limit(limit))]

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


class Unit:
    """One transaction on one generation. Each method takes a whole batch, in as many statements as for one."""

    def __init__(self, connection: sa.Connection, generation: str) -> None:
        self._connection, self.generation, self._tables = connection, generation, tables(generation)
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        self._insert: Any = dialect.insert

    def offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """Give the offset that each partition goes on from, and keep other writers from moving it until the end."""
        table = self._tables.offsets
        fresh = self._insert(table).on_conflict_do_nothing()
        if partitions:
            self._connection.execute(fresh, [{"partition": each, "next": 0} for each in sorted(partitions)])
        query = sa.select(table).where(table.c.partition.in_(partitions)).order_by(table.c.partition)
        return {row.partition: row.next for row in self._connection.execute(query.with_for_update())}

    def all_offsets(self) -> dict[int, int]:
        """Give the offset that each partition seen so far goes on from."""
        return {row.partition: row.next for row in self._connection.execute(sa.select(self._tables.offsets))}

    def advance(self, offsets: Mapping[int, int]) -> None:
        """Say where each partition goes on."""
        if offsets:
            table = self._tables.offsets
            move = sa.update(table).where(table.c.partition == sa.bindparam("p")).values(next=sa.bindparam("n"))
            self._connection.execute(move, [{"p": partition, "n": offset} for partition, offset in offsets.items()])

    def remember(self, posts: Sequence[Post]) -> None:
        """Keep posts; the first one of an id stays."""
        if posts:
            rows = [(*post[:-1], _microseconds(post.posted_at)) for post in posts]
            self._many(self._insert(self._tables.posts).on_conflict_do_nothing(), rows)

    def count(self, likes: Sequence[Like]) -> set[tuple[str, str]]:
        """Count likes, no two of one person for one message; return (message, liker) of those not counted before."""
        if not likes:
            return set()
        insert = self._insert(self._tables.likes).on_conflict_do_nothing()
        rows = [(*like[:-1], _microseconds(like.liked_at)) for like in likes]
        attempt = self._connection.begin_nested()
        if self._many(insert, rows) == len(rows):
            attempt.commit()
            new = {like[:2] for like in likes}
        else:  # some were counted before: only a slower way tells which
            attempt.rollback()
            keys = self._tables.likes.c.message_id, self._tables.likes.c.liker_id
            named = [dict(zip(Like._fields, row, strict=True)) for row in rows]
            new = {(row[0], row[1]) for row in self._connection.execute(insert.returning(*keys), named)}
        self._many(self._add_counters(), list(_sum_up(like for like in likes if like[:2] in new)))
        return new

    def enqueue(self, jobs: Sequence[tuple[int, int, bytes]]) -> None:
        """Put pushes into the outbox, each under the place of its cause."""
        if jobs:
            self._many(sa.insert(OUTBOX), [(partition, offset, bytes(job)) for partition, offset, job in jobs])

    def sent(self, last: Mapping[int, int]) -> None:
        """Take out of the outbox what was sent: everything up to an offset, by partition."""
        upto = sa.delete(OUTBOX).where(OUTBOX.c.partition == sa.bindparam("p"), OUTBOX.c.offset <= sa.bindparam("n"))
        self._connection.execute(upto, [{"p": partition, "n": offset} for partition, offset in last.items()])

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

    def _many(self, insert: sa.Insert, rows: list[tuple[Any, ...]]) -> int:
        """Insert rows, with their values in the order of the columns; return how many went in.

        They go straight to the driver: SQLAlchemy's care for every row costs more than the database's.
        """
        text = str(insert.compile(dialect=self._connection.dialect))
        return self._connection.exec_driver_sql(text, rows).rowcount if rows else 0

    def _add_counters(self) -> Any:
        insert = self._insert(self._tables.counters)
        old, new = self._tables.counters.c, insert.excluded
        newer = sa.or_(
            new.newest_at > old.newest_at, sa.and_(new.newest_at == old.newest_at, new.newest_like > old.newest_like)
        )
        sums = {name: old[name] + new[name] for name in ("likes", "by_others")}
        newest = {
            name: sa.case((newer, new[name]), else_=old[name]) for name in ("newest_name", "newest_at", "newest_like")
        }
        return insert.on_conflict_do_update(index_elements=["message_id"], set_=sums | newest)


def _sum_up(likes: Iterable[Like]) -> Iterator[tuple[Any, ...]]:
    """Make the rows of `counters` that these likes add up to."""
    by_message: dict[str, list[Like]] = defaultdict(list)
    for like in likes:
        by_message[like.message_id].append(like)
    for message_id, likes_of_it in by_message.items():
        others = [like for like in likes_of_it if like.liker_id != like.author_id]
        newest = max(others, key=lambda like: (like.liked_at, like.like_id), default=None)
        newest_values = (newest.liker_name, _microseconds(newest.liked_at), newest.like_id) if newest else ("", 0, "")
        yield (message_id, likes_of_it[0].author_id, len(likes_of_it), len(others), *newest_values)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver opens no transactions: `_begin_sqlite` does
    # In WAL mode, NORMAL may lose the last transactions when the machine loses power. Their offsets go with them, so
    # the stream brings them back. The rest buys throughput with 64 MiB of memory and 40 MiB of log.
    for pragma in (
        "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000", "cache_size = -65536",
        "wal_autocheckpoint = 10000",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _key(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _column(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


class Tables(NamedTuple):
    """The tables of one generation. Times are microseconds since 1970, in UTC."""

    metadata: sa.MetaData
    posts: sa.Table
    likes: sa.Table
    counters: sa.Table
    offsets: sa.Table


@cache
def tables(generation: str) -> Tables:
    """Describe the tables of one generation; its name ends theirs."""
    metadata = sa.MetaData()

    def table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
        return sa.Table(f"{name}_{generation}", metadata, *columns, sqlite_with_rowid=False)

    return Tables(
        metadata,
        table(
            "posts", _key("message_id"), _column("author_id"), _column("group_id"), _column("text"),
            _column("posted_at", sa.BigInteger),
        ),
        table(
            "likes", _key("message_id"), _key("liker_id"), _column("liker_name"), _column("author_id"),
            _column("like_id"), _column("liked_at", sa.BigInteger),
        ),
        table(
            "counters", _key("message_id"), _column("author_id"), _column("likes", sa.BigInteger),
            _column("by_others", sa.BigInteger), _column("newest_name"), _column("newest_at", sa.BigInteger),
            _column("newest_like"), sa.Index(f"counters_{generation}_by_author", "author_id", "newest_at"),
        ),
        table("offsets", _key("partition", sa.Integer), _column("next", sa.BigInteger)),
    )  # fmt: skip


_SHARED = sa.MetaData()
LIVE = sa.Table("live", _SHARED, _key("row", sa.Integer), _column("generation"))
OUTBOX = sa.Table(
    "outbox", _SHARED, _key("partition", sa.Integer), _key("offset", sa.BigInteger), _column("job", sa.LargeBinary),
    sqlite_with_rowid=False,
)  # fmt: skip
