"""The worker: take a job, decode it, deliver it, settle it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
import sys
from datetime import UTC, datetime

from redis.asyncio import Redis

from envelopes import DecodeError, decode
from envelopes.messages import CATALOG, DeliveryRequested

from .gateways import Gateway, GatewayError

log = logging.getLogger("transport")

CHANNEL = "transport"
FAILED = "resque:failed"


async def deliver(message: DeliveryRequested, gateway: Gateway) -> None:
    """Hand one delivery to the gateway. Raises GatewayError."""
    await gateway.send(message, key=message.delivery_id)


class Worker:
    """Takes jobs one by one from the channel's list until it is told to stop."""

    def __init__(self, redis: Redis, gateway: Gateway) -> None:
        self._redis, self._gateway = redis, gateway
        self._queue = CATALOG.channel(CHANNEL).address
        self._hand = f"{{{self._queue}}}:hand:{socket.gethostname()}"
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the job in hand and take no other."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`; what an earlier run left in hand comes first."""
        while await self._redis.lmove(self._hand, self._queue, "RIGHT", "LEFT"):
            pass
        sys.stderr.write(f"transport: ready, taking from {self._queue}\n")
        sys.stderr.flush()
        while not self._stopping.is_set():
            raw = await self._redis.blmove(self._queue, self._hand, 1, "LEFT", "RIGHT")
            if isinstance(raw, bytes):
                await self._settle(raw)

    async def _settle(self, raw: bytes) -> None:
        failed = None
        try:
            await deliver(decode(raw, channel=CHANNEL).data, self._gateway)
        except DecodeError as error:
            failed = _failed(raw, error, error.pointer)
        except GatewayError as error:
            failed = _failed(raw, error, None)
        async with self._redis.pipeline() as settling:
            if failed is not None:
                settling.rpush(FAILED, failed)
            settling.execute_command("LREM", self._hand, 1, raw)
            await settling.execute()


def _failed(raw: bytes, error: Exception, pointer: str | None) -> bytes:
    """An entry of `resque:failed` in Resque's own layout; `original` holds the bytes as they came, in base64."""
    try:
        payload = json.loads(raw)
    except ValueError:
        payload = {"class": None, "args": []}
    entry = {
        "failed_at": datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S UTC"),
        "payload": payload,
        "exception": type(error).__name__,
        "error": str(error),
        "backtrace": [],
        "worker": socket.gethostname(),
        "queue": CATALOG.channel(CHANNEL).address.removeprefix("resque:queue:"),
        "pointer": pointer,
        "original": base64.b64encode(raw).decode(),
    }
    return json.dumps(entry).encode()
