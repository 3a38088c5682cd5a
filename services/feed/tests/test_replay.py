"""A store that is built again from the stream, beside the live one."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from tests.conftest import NOON, person

from feed.__main__ import main
from feed.replay import find_start

LOGS = [f"embedded/{partition}" for partition in range(4)]


@pytest.fixture
def replay(kafka, tmp_path):
    def run(*arguments):
        return main(["replay", "--kafka", kafka.address, "--store", str(tmp_path / "feed.db"), *arguments])

    return run


def test_a_replay_gives_the_same_store_and_sends_no_push_again(
    service, kafka, mailbox, stored, replay, like, post, people, until
):
    likers = [people.bo, people.cy, people.di, people.ana]
    events = [like(n, likers[n % 4], message=f"m-{n % 300:04}", seconds=n * 7919 % 1000) for n in range(2500)]
    service()
    kafka.publish(*[post(f"m-{n:04}") for n in range(300)], *events, *events[:500])
    kafka.publish((b"poison", b"m-0001", []), like(9999, message="m-last"))
    until(lambda: stored.likes("m-last") == 1 and not stored.store.waiting(LOGS))
    sent = mailbox.llen("resque:queue:transport")

    assert replay("--into", "again") == 0

    assert generation(stored.store, "again") == generation(stored.store, "first")
    kafka.publish(like(10_000, message="m-afterwards"))
    until(lambda: stored.likes("m-afterwards") == 1 and not stored.store.waiting(LOGS))
    assert generation(stored.store, "again") != generation(stored.store, "first"), "the service goes on in the new one"
    assert mailbox.llen("resque:queue:transport") == sent + 1


def test_a_replay_from_an_offset_leaves_out_what_came_before(service, kafka, stored, replay, like, mailbox, until):
    service()
    kafka.publish(*[like(n, message="m-0001", liker=person(n)) for n in range(10)])
    until(lambda: stored.likes("m-0001") == 10)
    replay("--from", "4")
    assert stored.likes("m-0001") == 6


def test_a_generation_is_not_built_over_the_live_one(replay, capsys):
    with pytest.raises(SystemExit) as ended:
        replay("--into", "first")
    assert ended.value.code == 2
    assert "choose another name" in capsys.readouterr().err


def test_a_start_that_is_none_is_a_usage_error(replay, capsys):
    with pytest.raises(SystemExit) as ended:
        replay("--from", "yesterday")
    assert ended.value.code == 2
    assert "2026-03-01T12:00:00Z" in capsys.readouterr().err


def generation(store, name):
    """Everything in one generation's tables, as bytes."""
    with store.engine.begin() as connection:
        tables = [table for table in sa.inspect(connection).get_table_names() if table.endswith(f"_{name}")]
        rows = {
            table.removesuffix(name): connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").all()
            for table in sorted(tables)
        }
    assert len(rows) == 4
    return repr(rows).encode()


def test_messages_of_the_millisecond_of_the_start_are_taken_in():
    reader = SimpleNamespace(offsets_for_times=lambda wanted, timeout: wanted)  # each has the time as its offset
    start = "2026-03-01T12:00:00.000900+00:00"
    assert find_start(reader, start, ["t/0"]) == {"t/0": NOON.timestamp() * 1000}
