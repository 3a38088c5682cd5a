"""`python -m transport`: run a worker until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

import aiohttp
from redis.asyncio import Redis

from .gateways import HttpGateway
from .worker import Worker


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; 0 after an orderly stop."""
    parser = argparse.ArgumentParser(prog="transport", description=__doc__)
    parser.add_argument("--redis", required=True, metavar="URL", help="redis://host:port/db")
    parser.add_argument("--gateway", required=True, metavar="URL", help="where deliveries are posted")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(_run(options.redis, options.gateway))
    return 0


async def _run(redis_url: str, gateway_url: str) -> None:
    timeout = aiohttp.ClientTimeout(total=10)
    async with Redis.from_url(redis_url) as redis, aiohttp.ClientSession(timeout=timeout) as session:
        worker = Worker(redis, HttpGateway(gateway_url, session))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        await worker.run()


if __name__ == "__main__":
    sys.exit(main())
