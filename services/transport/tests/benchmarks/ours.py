"""The worker itself on the no-op job, and the floors: `python ours.py fill|trickle|work NAME REDIS_URL N`.

`exactly-once` and `at-least-once` are the whole worker with a gateway that does nothing, contract validation on.
`lua-floor` moves batches of 100 and sets 100 marks with nothing in between; `bare-loop` settles each job by a call of
its own, pipelined, after `json.loads`: the recommended pattern without a worker around it.
"""

import asyncio
import json
import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import peers
from peers import finish, payload, send_all
from redis import Redis

from envelopes.messages import CATALOG, DeliveryRequested
from transport.__main__ import calm_collector
from transport.books import Books
from transport.link import connect
from transport.mailbox import Holder, Mailbox
from transport.settings import Settings
from transport.valve import Limits, Valve
from transport.worker import Worker

CHANNEL = CATALOG.channel("transport")


class Nothing:
    """A gateway that accepts everything at once, and ends the process after the last delivery."""

    def __init__(self, number: int) -> None:
        self.number, self.first, self.latencies = number, 0.0, []

    async def send(self, message: DeliveryRequested, key: str) -> None:
        now = time.time()
        self.first = self.first or now
        self.latencies.append(now - message.enqueued_at.timestamp())
        if len(self.latencies) == self.number:
            finish(self.first, now, self.latencies)


async def work(name: str, url: str, number: int) -> None:
    calm_collector()
    redis, token, settings = connect(url, cluster=False), secrets.token_hex(6), Settings()
    channel = replace(CHANNEL, delivery=name)
    boxes = [Mailbox(redis, "transport", channel, ["push"], Holder(token, settings.lease))]
    gateway = Nothing(number)
    await Worker(
        boxes, {"push": gateway}, [Valve("push", Limits(), redis)], Books(redis, ["transport"], token), settings
    ).run()


def resque(data: dict[str, Any]) -> str:
    sent = datetime.fromtimestamp(data.pop("sent"), UTC)
    return json.dumps({"class": "DeliveryRequested", "args": [data | {"enqueued_at": f"{sent:%Y-%m-%dT%H:%M:%S.%fZ}"}]})


FETCH = "local jobs = redis.call('LPOP', KEYS[1], 100) or {}; if #jobs > 0 then redis.call('RPUSH', KEYS[2], unpack(jobs)) end; return jobs"
ACK_ALL = "for i = 2, #KEYS do redis.call('SET', KEYS[i], '1', 'PX', 7200000) end; redis.call('DEL', KEYS[1])"
ACK_ONE = "redis.call('SET', KEYS[2], '1', 'PX', 7200000); redis.call('LREM', KEYS[1], 1, ARGV[1])"


def floor(name: str, url: str, number: int) -> None:
    redis = Redis.from_url(url)
    fetch, ack_all, ack_one = (redis.register_script(text) for text in (FETCH, ACK_ALL, ACK_ONE))
    begin, done = time.time(), 0
    while done < number:
        raws = fetch(keys=[CHANNEL.address, "hand"])
        if name == "lua-floor":
            ack_all(keys=["hand", *(f"once:{index}" for index in range(done, done + len(raws)))])
        else:
            with redis.pipeline(transaction=False) as settling:
                for raw in raws:
                    delivery = json.loads(raw)["args"][0]["delivery_id"]
                    ack_one(keys=["hand", f"once:{delivery}"], args=[raw], client=settling)
                settling.execute()
        done += len(raws)
    finish(begin, time.time(), [0.0])


def fill(url: str, number: int, *, paced: bool) -> None:
    with Redis.from_url(url) as redis:
        if paced:
            send_all(lambda data: redis.rpush(CHANNEL.address, resque(data)), paced=True)
            return
        for first in range(0, number, 1000):
            redis.rpush(CHANNEL.address, *(resque(payload(index)) for index in range(first, min(first + 1000, number))))


if __name__ == "__main__":
    mode, name, peers.url, peers.number = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    if mode != "work":
        fill(peers.url, peers.number, paced=mode == "trickle")
    elif name in ("lua-floor", "bare-loop"):
        floor(name, peers.url, peers.number)
    else:
        asyncio.run(work(name, peers.url, peers.number))
