"""What the feed keeps, in SQLite or PostgreSQL: effects, outbox and offsets, changed in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
        self.engine = sa.create_engine(url, **in_memory)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(writes=True)
        with self._writing.begin() as connection:
            _METADATA.create_all(connection)

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        """Change the store: everything inside happens, or nothing does."""
        with self._writing.begin() as connection:
            yield Unit(connection)

    def likes(self, message_id: str) -> int:
        """Count the people who like a message."""
        query = sa.select(COUNTERS.c.likes).where(COUNTERS.c.message_id == message_id)
        with self.engine.begin() as connection:
            return connection.scalar(query) or 0

    def post(self, message_id: str) -> Post | None:
        """Look a message up."""
        with self.engine.begin() as connection:
            row = connection.execute(sa.select(POSTS).where(POSTS.c.message_id == message_id)).first()
        if row is None:
            return None
        return Post(row.message_id, row.author_id, row.group_id, row.text, _time(row.posted_at))

    def items(self, author_id: str, limit: int) -> list[Item]:
        """Give an author's news feed, newest first."""
        query = (
            sa.select(COUNTERS, POSTS.c.text)
            .join_from(COUNTERS, POSTS, COUNTERS.c.message_id == POSTS.c.message_id, isouter=True)
            .where(COUNTERS.c.author_id == author_id, COUNTERS.c.by_others > 0)
            .order_by(COUNTERS.c.newest_at.desc(), COUNTERS.c.message_id)
            .limit(limit)
        )
        with self.engine.begin() as connection:
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
    """One transaction. Each method takes a whole batch, and costs the same few statements however long it is."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        self._insert: Any = dialect.insert

    def offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """Give the offset that each partition goes on from, and keep other writers from moving it until the end."""
        fresh = self._insert(OFFSETS).on_conflict_do_nothing()
        self._connection.execute(fresh, [{"partition": each, "next": 0} for each in sorted(partitions)])
        query = sa.select(OFFSETS).where(OFFSETS.c.partition.in_(partitions)).order_by(OFFSETS.c.partition)
        return {row.partition: row.next for row in self._connection.execute(query.with_for_update())}

    def advance(self, offsets: Mapping[int, int]) -> None:
        """Say where each partition goes on."""
        if offsets:
            move = sa.update(OFFSETS).where(OFFSETS.c.partition == sa.bindparam("p")).values(next=sa.bindparam("n"))
            self._connection.execute(move, [{"p": partition, "n": offset} for partition, offset in offsets.items()])

    def remember(self, posts: Sequence[Post]) -> None:
        """Keep posts; the first one of an id stays."""
        if posts:
            rows = [post._asdict() | {"posted_at": _microseconds(post.posted_at)} for post in posts]
            self._connection.execute(self._insert(POSTS).on_conflict_do_nothing(), rows)

    def count(self, likes: Sequence[Like]) -> set[tuple[str, str]]:
        """Count likes, no two of one person for one message; return (message, liker) of those not counted before."""
        if not likes:
            return set()
        rows = [like._asdict() | {"liked_at": _microseconds(like.liked_at)} for like in likes]
        insert = self._insert(LIKES).on_conflict_do_nothing().returning(LIKES.c.message_id, LIKES.c.liker_id)
        new = {(row[0], row[1]) for row in self._connection.execute(insert, rows)}
        counters = list(_sum_up(like for like in likes if (like.message_id, like.liker_id) in new))
        if counters:
            self._connection.execute(self._add_counters(), counters)
        return new

    def enqueue(self, jobs: Sequence[tuple[int, int, bytes]]) -> None:
        """Put pushes into the outbox, each under the place of its cause."""
        if jobs:
            rows = [{"partition": partition, "offset": offset, "job": bytes(job)} for partition, offset, job in jobs]
            self._connection.execute(sa.insert(OUTBOX), rows)

    def sent(self, last: Mapping[int, int]) -> None:
        """Take out of the outbox what was sent: everything up to an offset, by partition."""
        upto = sa.delete(OUTBOX).where(OUTBOX.c.partition == sa.bindparam("p"), OUTBOX.c.offset <= sa.bindparam("n"))
        self._connection.execute(upto, [{"p": partition, "n": offset} for partition, offset in last.items()])

    def _add_counters(self) -> Any:
        insert = self._insert(COUNTERS)
        old, new = COUNTERS.c, insert.excluded
        newer = sa.or_(
            new.newest_at > old.newest_at, sa.and_(new.newest_at == old.newest_at, new.newest_like > old.newest_like)
        )
        sums = {name: old[name] + new[name] for name in ("likes", "by_others")}
        newest = {
            name: sa.case((newer, new[name]), else_=old[name]) for name in ("newest_name", "newest_at", "newest_like")
        }
        return insert.on_conflict_do_update(index_elements=["message_id"], set_=sums | newest)


def _sum_up(likes: Iterable[Like]) -> Iterator[dict[str, Any]]:
    by_message: dict[str, list[Like]] = defaultdict(list)
    for like in likes:
        by_message[like.message_id].append(like)
    for message_id, likes_of_it in by_message.items():
        others = [like for like in likes_of_it if like.liker_id != like.author_id]
        newest = max(others, key=lambda like: (like.liked_at, like.like_id), default=None)
        yield {
            "message_id": message_id,
            "author_id": likes_of_it[0].author_id,
            "likes": len(likes_of_it),
            "by_others": len(others),
            "newest_name": newest.liker_name if newest else "",
            "newest_at": _microseconds(newest.liked_at) if newest else 0,
            "newest_like": newest.like_id if newest else "",
        }


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver opens no transactions: `_begin_sqlite` does
    # In WAL mode, NORMAL may lose the last transactions when the machine loses power. Their offsets go with them, so
    # the stream brings them back.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_METADATA = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, _METADATA, *columns, sqlite_with_rowid=False)


def _key(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _column(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


# Times are microseconds since 1970, in UTC.
POSTS = _table(
    "posts", _key("message_id"), _column("author_id"), _column("group_id"), _column("text"),
    _column("posted_at", sa.BigInteger),
)  # fmt: skip
LIKES = _table(
    "likes", _key("message_id"), _key("liker_id"), _column("liker_name"), _column("author_id"), _column("like_id"),
    _column("liked_at", sa.BigInteger),
)  # fmt: skip
COUNTERS = _table(
    "counters", _key("message_id"), _column("author_id"), _column("likes", sa.BigInteger),
    _column("by_others", sa.BigInteger), _column("newest_name"), _column("newest_at", sa.BigInteger),
    _column("newest_like"), sa.Index("counters_by_author", "author_id", "newest_at"),
)  # fmt: skip
OFFSETS = _table("offsets", _key("partition", sa.Integer), _column("next", sa.BigInteger))
OUTBOX = _table("outbox", _key("partition", sa.Integer), _key("offset", sa.BigInteger), _column("job", sa.LargeBinary))
