"""What a producer's choice means while Redis is away: `envelopes.publisher`."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import Connection as AsyncConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ResponseError
from redis.retry import Retry
from transport_processes import RedisServer
from transport_support import QUEUE, resque

from envelopes import decode
from envelopes.messages import DeliveryRequested, MessagePosted
from envelopes.publisher import AsyncPublisher, Publisher, RedisAwayError


def delivery(number: int) -> DeliveryRequested:
    return DeliveryRequested.from_value(json.loads(resque(number))["args"][0])


def client(server: RedisServer) -> Redis:
    return Redis.from_url(server.url, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def on_the_list(redis: Redis) -> list[str]:
    return [decode(raw, channel="transport").data.delivery_id for raw in redis.lrange(QUEUE, 0, -1)]


def test_a_message_gets_onto_its_channels_list(redis: Redis) -> None:
    Publisher(redis, source="/feed").publish(delivery(1))
    (raw,) = redis.lrange(QUEUE, 0, -1)
    envelope = decode(raw, channel="transport")
    assert (envelope.data, envelope.source) == (
        delivery(1).model_copy(update={"enqueued_at": envelope.data.enqueued_at}),
        "/feed",
    )
    assert redis.smembers("resque:queues") == {b"transport"}


def test_raise_keeps_nothing(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    publisher = Publisher(client(server))
    with pytest.raises(RedisAwayError, match="0 messages wait"):
        publisher.publish(delivery(1))
    with server.start():
        publisher.publish(delivery(2))
        assert on_the_list(client(server)) == ["d-000002"]


def test_buffer_keeps_order_up_to_its_limit_and_then_raises(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    publisher = Publisher(client(server), when_away="buffer", limit=3)
    for number in range(3):
        publisher.publish(delivery(number))
    with pytest.raises(RedisAwayError, match="3 messages wait"):
        publisher.publish(delivery(99))
    assert len(publisher) == 3
    with server.start():
        publisher.publish(delivery(3))
        assert on_the_list(client(server)) == [f"d-00000{number}" for number in range(4)]
        assert len(publisher) == 0


def test_what_redis_refuses_for_good_is_said_and_not_kept(redis: Redis) -> None:
    redis.set(QUEUE, "no list")
    publisher = Publisher(redis, when_away="buffer")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        publisher.publish(delivery(1))
    redis.delete(QUEUE)
    publisher.publish(delivery(2))
    assert on_the_list(redis) == ["d-000002"]


def test_threads_share_a_publisher(redis: Redis) -> None:
    publisher = Publisher(redis)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: publisher.publish(delivery(number)), range(40)))
    assert sorted(on_the_list(redis)) == [f"d-{number:06}" for number in range(40)]


def test_tasks_share_an_async_publisher_that_buffers_up_to_its_limit(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)

    async def walk() -> None:
        async with AsyncRedis.from_url(server.url, retry=AsyncRetry(NoBackoff(), 0)) as redis:
            publisher = AsyncPublisher(redis, when_away="buffer", limit=3)
            given = await asyncio.gather(*(publisher.publish(delivery(n)) for n in range(5)), return_exceptions=True)
            assert [str(each)[:13] for each in given if each] == ["Redis is away"] * 2
            with pytest.raises(RedisAwayError, match="3 messages wait"):
                await publisher.flush()
            server.start()
            await publisher.publish(delivery(5))
            assert len(publisher) == 0

    with server:
        asyncio.run(walk())
        assert on_the_list(client(server)) == ["d-000000", "d-000001", "d-000002", "d-000005"]


def test_a_connection_that_another_task_closes_meanwhile_is_redis_away(
    redis: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def publish() -> None:
        shared = AsyncRedis.from_url(redis_server.url, socket_timeout=1, retry=AsyncRetry(NoBackoff(), 0))
        publisher = AsyncPublisher(shared, when_away="buffer")
        with monkeypatch.context() as patch:
            patch.setattr(AsyncConnection, "is_connected", True)  # it was, when the task looked
            await publisher.publish(delivery(1))
        assert len(publisher) == 1
        await publisher.flush()
        await shared.aclose()

    asyncio.run(publish())
    assert on_the_list(redis) == [delivery(1).delivery_id]


def test_a_stream_is_not_a_list(redis: Redis) -> None:
    example = MessagePosted.from_json(EXAMPLE)
    with pytest.raises(ValueError, match="channel activity is kafka"):
        Publisher(redis).publish(example)
    assert redis.dbsize() == 0


EXAMPLE = json.dumps({
    "message_id": "m-7f3a9c",
    "group": {"group_id": "g-blue01", "name": "Blue team", "size": 12},
    "author": {"person_id": "p-ana001", "name": "Ana"},
    "kind": "text",
    "text": "Lunch at one?",
    "posted_at": "2026-03-01T12:00:00Z",
})  # fmt: skip


@pytest.mark.parametrize(("waiting", "said"), [(0, "0 messages wait"), (1, "1 message waits"), (2, "2 messages wait")])
def test_how_many_wait_is_said_in_the_number_that_it_is(waiting: int, said: str) -> None:
    assert f"(ConnectionError), {said} in memory" in str(RedisAwayError(ConnectionError(), waiting))


@pytest.mark.parametrize("setting", ["min-replicas-to-write", "maxmemory"])
def test_an_error_of_redis_that_goes_away_is_buffered(tmp_path: Path, setting: str) -> None:
    with RedisServer(tmp_path) as server:
        server.start()
        redis = client(server)
        redis.config_set(setting, 1)
        publisher = Publisher(redis, when_away="buffer")
        publisher.publish(delivery(1))
        assert len(publisher) == 1
        redis.config_set(setting, 0)
        publisher.publish(delivery(2))
        assert on_the_list(redis) == ["d-000001", "d-000002"]


def test_a_message_that_redis_took_is_not_sent_again_because_of_the_set_of_queues(redis: Redis) -> None:
    redis.set("resque:queues", "a key of the wrong type")
    Publisher(redis, when_away="buffer").publish(delivery(1))
    assert on_the_list(redis) == ["d-000001"]


def test_a_wrong_password_is_raised_and_not_buffered(redis_server: RedisServer) -> None:
    wrong = Redis(port=redis_server.port, username="nobody", password="wrong")
    publisher = Publisher(wrong, when_away="buffer")
    with pytest.raises(AuthenticationError):
        publisher.publish(delivery(1))
    assert len(publisher) == 0
