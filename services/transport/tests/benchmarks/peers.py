"""Other Python workers on the same no-op job: `python peers.py fill|trickle|work NAME REDIS_URL N`.

Each runs as its documentation recommends for short jobs, in one process. `work` ends by itself after N jobs.
"""

import asyncio
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from redis import Redis

RATE = 200
RESULT = "benchmark:result"

url, number = "", 0
count, lock, latencies, first = itertools.count(1), threading.Lock(), [], 0.0


def payload(index: int) -> dict[str, Any]:
    return {
        "delivery_id": f"d-l-{index:08d}",
        "kind": "push",
        "recipient": {"person_id": "p-ana001"},
        "text": "Bo likes your message",
        "caused_by": "l-5d21e0",
        "sent": time.time(),
    }


def job(data: dict[str, Any]) -> None:
    """The job itself: notes when it ran, and ends the process after the last one."""
    global first  # noqa: PLW0603
    now = time.time()
    with lock:
        first = first or now
        latencies.append(now - data["sent"])
        if next(count) == number:
            finish(first, now, latencies)


def finish(begin: float, end: float, waits: list[float]) -> None:
    with Redis.from_url(url) as redis:
        redis.set(RESULT, json.dumps({"seconds": end - begin, "latencies": waits}))
    os._exit(0)


def forked_job(data: dict[str, Any]) -> None:
    """For a worker that forks per job: what it notes is kept in Redis."""
    with Redis.from_url(os.environ["BENCHMARK_REDIS"]) as redis:
        redis.rpush("benchmark:times", json.dumps([time.time(), data["sent"]]))


def send_all(send: Callable[[dict[str, Any]], Any], *, paced: bool) -> None:
    begin = time.perf_counter()
    for index in range(number):
        if paced:
            time.sleep(max(0.0, begin + index / RATE - time.perf_counter()))
        send(payload(index))


async def send_all_async(send: Callable[[dict[str, Any]], Any], *, paced: bool) -> None:
    begin = time.perf_counter()
    for index in range(number):
        if paced:
            await asyncio.sleep(max(0.0, begin + index / RATE - time.perf_counter()))
        await send(payload(index))


def rq(mode: str) -> None:
    from rq import Queue, SimpleWorker

    queue = Queue(connection=Redis.from_url(url))
    if mode == "work":
        sys.modules["peers"] = sys.modules["__main__"]
        SimpleWorker([queue], connection=queue.connection).work(logging_level="ERROR")
    else:
        send_all(lambda data: queue.enqueue("peers.job", data, result_ttl=0), paced=mode == "trickle")


def rq_fork(mode: str) -> None:
    from rq import Queue, Worker

    os.environ["BENCHMARK_REDIS"] = url
    queue = Queue(connection=Redis.from_url(url))
    if mode == "work":
        worker = Worker([queue], connection=queue.connection)
        threading.Thread(target=watch_forks, daemon=True).start()
        worker.work(logging_level="ERROR")
    else:
        send_all(lambda data: queue.enqueue("peers.forked_job", data, result_ttl=0), paced=mode == "trickle")


def watch_forks() -> None:
    redis = Redis.from_url(url)
    while redis.llen("benchmark:times") < number:
        time.sleep(0.05)
    times = [json.loads(each) for each in redis.lrange("benchmark:times", 0, -1)]
    finish(times[0][0], times[-1][0], [ran - sent for ran, sent in times])


def dramatiq(mode: str) -> None:
    import dramatiq as library
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=url)
    library.set_broker(broker)
    actor = library.actor(job)
    if mode == "work":
        library.Worker(broker, worker_threads=8).start()
        threading.Event().wait()
    else:
        send_all(actor.send, paced=mode == "trickle")


def celery(mode: str) -> None:
    from celery import Celery

    app = Celery("benchmark", broker=url)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=16, worker_hijack_root_logger=False)
    task = app.task(name="job")(job)
    if mode == "work":
        app.worker_main(["worker", "-P", "threads", "-c", "8", "-l", "ERROR", "--without-gossip", "--without-mingle"])
    else:
        send_all(task.delay, paced=mode == "trickle")


def arq(mode: str) -> None:
    from arq import create_pool, func, run_worker
    from arq.connections import RedisSettings

    async def run(_: Any, data: dict[str, Any]) -> None:
        job(data)

    settings = RedisSettings.from_dsn(url)
    if mode == "work":
        functions = [func(run, name="job", keep_result=0)]
        asyncio.set_event_loop(asyncio.new_event_loop())
        run_worker(
            {
                "functions": functions,
                "redis_settings": settings,
                "max_jobs": 100,
                "poll_delay": 0.005,
                "queue_read_limit": 500,
            }
        )

    async def fill() -> None:
        pool = await create_pool(settings)
        await send_all_async(lambda data: pool.enqueue_job("job", data), paced=mode == "trickle")

    asyncio.run(fill())


def taskiq(mode: str) -> None:
    from taskiq.api import run_receiver_task
    from taskiq_redis import ListQueueBroker

    broker = ListQueueBroker(url)

    @broker.task(task_name="job")
    async def run(data: dict[str, Any]) -> None:
        job(data)

    async def walk() -> None:
        await broker.startup()
        if mode == "work":
            broker.is_worker_process = True
            await run_receiver_task(broker, max_async_tasks=100, run_startup=True)
        else:
            await send_all_async(run.kiq, paced=mode == "trickle")

    asyncio.run(walk())


PEERS = {each.__name__: each for each in (rq, rq_fork, dramatiq, celery, arq, taskiq)}


if __name__ == "__main__":
    mode, name, url, number = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    PEERS[name](mode)
