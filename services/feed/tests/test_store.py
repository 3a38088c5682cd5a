import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from tests.conftest import person

from feed import Feed, Received, Store
from feed.errors import OldTablesError
from feed.likes import StoreIsBehindError
from feed.store import COLLISIONS


def test_a_batch_that_comes_again_changes_nothing(store_url, like):
    batch = [Received("t/0", 0, like(1)), Received("t/0", 1, like(2, message="m-0002"))]
    feed = Feed(Store(store_url))
    feed.handle_batch(batch)
    before = everything(feed.store)
    feed.handle_batch(batch)
    assert everything(feed.store) == before


def test_a_batch_that_overlaps_what_is_stored_adds_only_the_rest(store_url, like):
    feed = Feed(Store(store_url))
    feed.handle_batch([Received("t/0", 0, like(1))])
    feed.handle_batch([Received("t/0", 0, like(1)), Received("t/0", 1, like(2, message="m-0002"))])
    assert feed.likes("m-0002") == 1
    assert offsets_waiting(feed.store) == [0, 1]


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_try_leaves_everything_once(store_url, like, monkeypatch):
    batch = [Received("t/0", 0, like(1)), Received("t/1", 0, like(2, message="m-0002"))]
    feed = Feed(Store(store_url))
    with monkeypatch.context() as patched:
        patched.setattr("feed.store.Unit.advance", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            feed.handle_batch(batch)
    feed.store.close()

    again = Feed(Store(store_url))
    assert again.likes("m-0001") == 0
    assert again.store.waiting(["t/0", "t/1"]) is None
    again.handle_batch(batch)
    assert (again.likes("m-0001"), again.likes("m-0002")) == (1, 1)
    assert len(offsets_waiting(again.store)) == 2


def test_two_owners_of_one_partition_take_each_message_in_once(store_url, like):
    old, new = Feed(Store(store_url)), Feed(Store(store_url))
    likes = [Received("t/0", offset, like(offset, message=f"m-000{offset}")) for offset in range(4)]
    old.handle_batch(likes[:2])
    new.handle_batch(likes[:3])
    old.handle_batch(likes[2:])
    assert [new.likes(f"m-000{offset}") for offset in range(4)] == [1, 1, 1, 1]
    assert offsets_waiting(new.store) == [0, 1, 2, 3]


def test_members_that_meet_on_one_message_count_each_person_once(store_url, like):
    def work(member):
        feed = Feed(Store(store_url))
        for offset in range(0, 200, 10):
            batch = [
                Received(
                    f"t/{member}",
                    offset + n,
                    like(member * 1000 + offset + n, person(offset + n), f"m-000{n % 3}"),
                )
                for n in range(10)
            ]
            while True:  # as the consumer does
                try:
                    feed.handle_batch(batch)
                    break
                except sa.exc.OperationalError as error:
                    if error.orig.sqlstate not in COLLISIONS:
                        raise

    feed = Feed(Store(store_url))
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(3)))
    assert [feed.likes(f"m-000{n}") for n in range(3)] == [80, 60, 60]
    assert len(offsets_waiting(feed.store, ["t/0", "t/1", "t/2"])) == 200


def test_a_batch_whose_predecessor_is_no_longer_stored_is_refused_whole(store_url, like):
    """The reader has stored everything before offset 5, and a failover has lost that from offset 1 on."""
    feed = Feed(Store(store_url))
    feed.handle_batch([Received("t/0", 0, like(1)), Received("t/1", 0, like(2, message="m-0002"))])
    before = everything(feed.store)
    batch = [Received("t/1", 1, like(3, message="m-0003")), Received("t/0", 5, like(6, message="m-0006"))]
    with pytest.raises(StoreIsBehindError):
        feed.handle_batch(batch, {"t/0": 5, "t/1": 1})
    assert everything(feed.store) == before
    feed.handle_batch(batch, {"t/0": 1, "t/1": 1})
    assert feed.store.known_offsets() == {"t/0": 6, "t/1": 2}


def test_a_message_that_is_only_passed_moves_the_offset(store_url, like):
    feed = Feed(Store(store_url))
    feed.handle_batch([Received("t/3", 41, None)])
    assert feed.store.known_offsets() == {"t/3": 42}


def everything(store):
    with store.engine.begin() as connection:
        names = sorted(sa.inspect(connection).get_table_names())
        return {name: sorted(connection.exec_driver_sql(f"SELECT * FROM {name}").all()) for name in names}


def offsets_waiting(store, logs=("t/0", "t/1")):
    """The places of the likes whose pushes wait, in the order in which they would go."""
    found = []
    while row := store.waiting(logs):
        log, last, _, pushes = row
        found += [push.offset for push in pushes]
        with store.begin() as unit:
            unit.sent(log, last)
    return found


def test_tables_of_an_earlier_version_are_refused_with_what_renames_their_columns(tmp_path):
    path = str(tmp_path / "old.db")
    Store(path).close()
    renames = [
        "ALTER TABLE likes_first RENAME COLUMN notified TO told",
        'ALTER TABLE offsets_first RENAME COLUMN "partition" TO log',
        "ALTER TABLE offsets_first RENAME COLUMN next_offset TO next",
        'ALTER TABLE outbox RENAME COLUMN "partition" TO log',
        "ALTER TABLE outbox RENAME COLUMN requested_at TO asked_at",
    ]
    with sqlite3.connect(path) as connection:
        for statement in renames:
            connection.execute(statement)

    with pytest.raises(OldTablesError, match="tables of an earlier version") as error:
        Store(path)
    with sqlite3.connect(path) as connection:
        connection.executescript(str(error.value).partition("and run: ")[2])

    Store(path).close()
