"""The worker as a process between a real Redis and a gateway."""

import base64
import json
import signal

from conftest import QUEUE, RedisServer, Stub, process, wait_until
from redis import Redis

JOB = {
    "delivery_id": "d-l-5d21e0",
    "kind": "push",
    "recipient": {"person_id": "p-ana001"},
    "text": "Bo likes your message",
    "enqueued_at": "2099-03-01T12:00:06Z",
    "caused_by": "l-5d21e0",
}


def resque(**changes: object) -> bytes:
    return json.dumps({"class": "DeliveryRequested", "args": [JOB | changes]}).encode()


def test_jobs_reach_the_gateway_and_what_breaks_the_contract_goes_to_failed(
    redis: Redis, redis_server: RedisServer, stub: Stub
) -> None:
    broken = resque(delivery_id="d-broken", kind="pigeon")
    redis.rpush(QUEUE, resque(), broken, b"\xffnot json", resque(delivery_id="d-second"))
    with process("transport", "--redis", redis_server.url, "--gateway", stub.url) as worker:
        assert worker.stderr is not None
        assert "ready" in worker.stderr.readline()
        wait_until(lambda: len(stub.ledger()) == 2, "two deliveries")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert [row["delivery_id"] for row in stub.ledger()] == ["d-l-5d21e0", "d-second"]
    first, second = (json.loads(entry) for entry in redis.lrange("resque:failed", 0, -1))
    assert base64.b64decode(first["original"]) == broken
    assert first["pointer"] == "/kind"
    assert "pigeon" in first["error"]
    assert first["payload"] == json.loads(broken)
    assert base64.b64decode(second["original"]) == b"\xffnot json"
    assert redis.keys("*hand*") == []
