"""What `transport_speed.py` runs: `python transport_workers.py fill|trickle|work NAME REDIS_URL N`.

Everybody gets the same data, and does nothing with it. The peers run as their documentation recommends for short jobs.
`work` ends by itself after N jobs and leaves in Redis how long they took, and how old each was when it ran.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from redis import Redis

RATE = 200
QUEUE = "resque:queue:transport"
Data = dict[str, Any]

url, number = "", 0
count, lock, latencies, first = itertools.count(1), threading.Lock(), [], 0.0


def payload(index: int) -> Data:
    """About 200 bytes as JSON."""
    return {
        "delivery_id": f"d-l-{index:08d}",
        "kind": "push",
        "recipient": {"person_id": "p-ana001"},
        "text": "Bo likes your message",
        "caused_by": "l-5d21e0",
        "sent": time.time(),
    }


def job(data: Data) -> None:
    """The job of the peers: note when it ran, and end the process after the last one."""
    global first  # noqa: PLW0603
    now = time.time()
    with lock:
        first = first or now
        latencies.append(now - data["sent"])
        if next(count) == number:
            finish(first, now, latencies)


def finish(begin: float, end: float, waits: list[float]) -> None:
    with Redis.from_url(url) as redis:
        redis.set("benchmark:result", json.dumps({"seconds": end - begin, "latencies": waits}))
    os._exit(0)


def send_all(send: Callable[[Data], object], *, paced: bool) -> None:
    begin = time.perf_counter()
    for index in range(number):
        if paced:
            time.sleep(max(0.0, begin + index / RATE - time.perf_counter()))
        send(payload(index))


async def send_all_async(send: Callable[[Data], Awaitable[object]], *, paced: bool) -> None:
    begin = time.perf_counter()
    for index in range(number):
        if paced:
            await asyncio.sleep(max(0.0, begin + index / RATE - time.perf_counter()))
        await send(payload(index))


# This project's.


def resque(data: Data) -> str:
    sent = datetime.fromtimestamp(data.pop("sent"), UTC)
    return json.dumps({"class": "DeliveryRequested", "args": [data | {"enqueued_at": f"{sent:%Y-%m-%dT%H:%M:%S.%fZ}"}]})


def fill_queue(*, paced: bool) -> None:
    with Redis.from_url(url) as redis:
        if paced:
            send_all(lambda data: redis.rpush(QUEUE, resque(data)), paced=True)
            return
        for begin in range(0, number, 1000):
            redis.rpush(QUEUE, *(resque(payload(index)) for index in range(begin, min(begin + 1000, number))))


class Nothing:
    """A gateway that accepts everything at once, and ends the process after the last delivery."""

    async def send(self, message: Any, key: str) -> None:
        job({"sent": message.enqueued_at.timestamp()})


def the_worker(mode: str) -> None:
    if mode != "work":
        fill_queue(paced=mode == "trickle")
        return
    from envelopes.messages import CATALOG
    from transport.__main__ import tune_garbage_collector
    from transport.connection import connect
    from transport.job_queue import JobQueue
    from transport.limiter import GatewayLimiter, Limits
    from transport.registry import ResqueRegistry
    from transport.settings import Settings
    from transport.worker import Worker

    async def work() -> None:
        redis = connect(url, cluster=False)
        queue = JobQueue(redis, "transport", CATALOG.channel("transport"), "one", Settings().lease)
        limiter, registry = GatewayLimiter("push", Limits(), redis), ResqueRegistry(redis, ["transport"], "one")
        await Worker([queue], {"push": Nothing()}, [limiter], registry).run()

    tune_garbage_collector()
    asyncio.run(work())


FETCH = """
local jobs = redis.call('LPOP', KEYS[1], 100) or {}
if #jobs > 0 then redis.call('RPUSH', KEYS[2], unpack(jobs)) end
return jobs
"""
SETTLE_ALL = """
for i = 2, #KEYS do redis.call('SET', KEYS[i], '1', 'PX', 7200000) end
redis.call('DEL', KEYS[1])
"""
SETTLE_ONE = "redis.call('SET', KEYS[2], '1', 'PX', 7200000); redis.call('LREM', KEYS[1], 1, ARGV[1])"


def floor(mode: str, *, bare: bool = False) -> None:
    if mode != "work":
        fill_queue(paced=False)
        return
    redis = Redis.from_url(url)
    fetch, settle_all, settle_one = (redis.register_script(text) for text in (FETCH, SETTLE_ALL, SETTLE_ONE))
    begin, done = time.time(), 0
    while done < number:
        raws = fetch(keys=[QUEUE, "hand"])
        if bare:
            with redis.pipeline(transaction=False) as settling:
                for raw in raws:
                    delivery = json.loads(raw)["args"][0]["delivery_id"]
                    settle_one(keys=["hand", f"once:{delivery}"], args=[raw], client=settling)
                settling.execute()
        else:
            settle_all(keys=["hand", *(f"once:{index}" for index in range(done, done + len(raws)))])
        done += len(raws)
    finish(begin, time.time(), [])


# Others'.


def rq(mode: str) -> None:
    from rq import Queue, SimpleWorker

    queue = Queue(connection=Redis.from_url(url))
    if mode == "work":
        sys.modules["transport_workers"] = sys.modules["__main__"]
        SimpleWorker([queue], connection=queue.connection).work(logging_level="ERROR")
    send_all(lambda data: queue.enqueue("transport_workers.job", data, result_ttl=0), paced=mode == "trickle")


def dramatiq(mode: str) -> None:
    import dramatiq as library
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=url)
    library.set_broker(broker)
    actor = library.actor(job)
    if mode == "work":
        library.Worker(broker, worker_threads=8).start()
        threading.Event().wait()
    send_all(actor.send, paced=mode == "trickle")


def celery(mode: str) -> None:
    from celery import Celery

    app = Celery("benchmark", broker=url)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=16, worker_hijack_root_logger=False)
    task = app.task(name="job")(job)
    if mode == "work":
        app.worker_main(["worker", "-P", "threads", "-c", "8", "-l", "ERROR", "--without-gossip", "--without-mingle"])
    send_all(task.delay, paced=mode == "trickle")


def arq(mode: str) -> None:
    from arq import create_pool, func, run_worker
    from arq.connections import RedisSettings

    async def run(_: Any, data: Data) -> None:
        job(data)

    async def fill() -> None:
        pool = await create_pool(settings)
        await send_all_async(lambda data: pool.enqueue_job("job", data), paced=mode == "trickle")

    settings = RedisSettings.from_dsn(url)
    if mode == "work":
        asyncio.set_event_loop(asyncio.new_event_loop())
        options = {"max_jobs": 100, "poll_delay": 0.005, "queue_read_limit": 500}
        run_worker(options | {"functions": [func(run, name="job", keep_result=0)], "redis_settings": settings})
    asyncio.run(fill())


def taskiq(mode: str) -> None:
    from taskiq.api import run_receiver_task
    from taskiq_redis import ListQueueBroker

    broker = ListQueueBroker(url)

    @broker.task(task_name="job")
    async def run(data: Data) -> None:
        job(data)

    async def walk() -> None:
        await broker.startup()
        if mode == "work":
            broker.is_worker_process = True
            await run_receiver_task(broker, max_async_tasks=100, run_startup=True)
        await send_all_async(run.kiq, paced=mode == "trickle")

    asyncio.run(walk())


RUNS: dict[str, Callable[[str], None]] = {
    "floor": floor,
    "bare loop": lambda mode: floor(mode, bare=True),
    "the worker": the_worker,
    **{each.__name__: each for each in (taskiq, dramatiq, celery, arq, rq)},
}


if __name__ == "__main__":
    url, number = sys.argv[3], int(sys.argv[4])
    RUNS[sys.argv[2]](sys.argv[1])
