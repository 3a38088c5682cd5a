"""`python -m transport`: deliver until SIGTERM or SIGINT. `python -m transport status`: what is going on."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from contextlib import aclosing as closing
from math import inf

import aiohttp
from redis.asyncio.connection import parse_url

from envelopes import Channel
from envelopes.messages import CATALOG

from .books import Books
from .gateways import GATEWAYS, Endpoint, open_gateways
from .link import REDIS_AWAY, AnyRedis, connect
from .logs import log_to_stderr
from .mailbox import PREFIX, Holder, Mailbox
from .settings import Settings
from .status import show_status
from .valve import Limits, Valve
from .worker import Worker

CHANNEL = "transport"
_SETTINGS = (
    ("batch", "N", "how many jobs are fetched at once"),
    ("lease", "S", "a worker silent for so long is dead"),
    ("deadline", "S", "for an orderly stop"),
    ("attempts", "N", "then resque:failed"),
    ("backoff", "S", "after the first failure"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; 0 after an orderly stop, 2 for a wrong command line, 3 without a status."""
    options = _parser().parse_args(arguments)
    log_to_stderr(options.log_level)
    if options.command == "work":
        asyncio.run(_work(options))
        return 0
    try:
        asyncio.run(_status(options))
    except REDIS_AWAY as error:
        sys.stderr.write(f"transport: Redis does not answer; is it what --redis names? {error}\n")
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="transport", description=__doc__)
    add = parser.add_argument
    add("command", nargs="?", choices=("work", "status"), default="work")
    add("--redis", required=True, type=redis_url, metavar="URL", help="redis://host:port/db")
    add("--cluster", action="store_true", help="the URL names a node of a Redis Cluster")
    text = "a Resque queue, the most urgent first; by default the channel's"
    add("--queue", action="append", metavar="NAME", help=text)
    add("--gateway", metavar="URL", help="where gateways are that have no URL of their own")
    for kind in GATEWAYS:
        add(f"--{kind}-url", metavar="URL", help=f"the {kind} gateway; its secret is in ${_secret(kind)}")
        add(f"--{kind}-account", default="local", metavar="NAME", help="project, or account")
        add(f"--{kind}-rate", type=amount, metavar="N", help="what it may see in any second, from all workers together")
        add(f"--{kind}-concurrency", type=count, default=Limits().concurrency, metavar="N", help="%(default)s at once")
    add("--sms-sender", default="+15005550006", metavar="NUMBER", help="or a Messaging Service SID")
    add("--timeout", type=amount, default=10.0, metavar="S", help="for a gateway's answer; %(default)s")
    for name, unit, text in _SETTINGS:
        default = getattr(Settings(), name.replace("-", "_"))
        add(
            f"--{name}",
            type=count if isinstance(default, int) else amount,
            default=default,
            metavar=unit,
            help=f"{text}; %(default)s",
        )
    add("--metrics", type=address, metavar="HOST:PORT", help="serve /metrics and /healthz there")
    add("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return parser


# A ValueError from these is a usage error that says their name.


def count(text: str) -> int:
    """Read a whole number from 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def amount(text: str) -> float:
    """Read a number above 0."""
    if not 0 < (number := float(text)) < inf:
        raise ValueError(text)
    return number


def address(text: str) -> tuple[str, int]:
    """Read HOST:PORT, or :PORT for this machine alone."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def redis_url(text: str) -> str:
    """Hold a URL to what redis-py takes."""
    parse_url(text)
    return text


def _secret(kind: str) -> str:
    return f"TRANSPORT_{kind.upper()}_SECRET"


def _settings(options: argparse.Namespace) -> Settings:
    chosen = {name.replace("-", "_"): getattr(options, name.replace("-", "_")) for name, *_ in _SETTINGS}
    return Settings(in_hand=3 * options.batch, **chosen)


def _channel(address: str) -> Channel:
    """The channel of that address in the catalog; queues that it does not name are like its `transport`."""
    return next((each for each in CATALOG.channels.values() if each.address == address), CATALOG.channel(CHANNEL))


def _mailboxes(options: argparse.Namespace, redis: AnyRedis, holder: Holder) -> list[Mailbox]:
    names = options.queue or [CATALOG.channel(CHANNEL).address.removeprefix(PREFIX)]
    return [Mailbox(redis, name, _channel(PREFIX + name), list(GATEWAYS), holder) for name in names]


async def _status(options: argparse.Namespace) -> None:
    async with closing(connect(options.redis, cluster=options.cluster)) as redis:
        sys.stdout.write(await show_status(_mailboxes(options, redis, Holder("status", options.lease))) + "\n")


def calm_collector() -> None:
    """Let the garbage collector look less often, and not at what was imported: jobs are no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _work(options: argparse.Namespace) -> None:
    calm_collector()
    token = secrets.token_hex(6)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(closing(connect(options.redis, cluster=options.cluster)))
        pool = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=options.timeout)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=pool, timeout=timeout))
        endpoints = {kind: _endpoint(options, kind, session) for kind in GATEWAYS}
        valves = [Valve(kind, _limits(options, kind), redis) for kind in GATEWAYS]
        mailboxes = _mailboxes(options, redis, Holder(token, options.lease))
        books = Books(redis, [box.queue for box in mailboxes], token)
        worker = Worker(mailboxes, open_gateways(endpoints), valves, books, _settings(options))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        if options.metrics:
            await stack.enter_async_context(worker.metrics.serving(*options.metrics))
        await worker.run()


def _endpoint(options: argparse.Namespace, kind: str, session: aiohttp.ClientSession) -> Endpoint:
    url = getattr(options, f"{kind}_url") or options.gateway
    if url is None:
        _parser().error(f"--{kind}-url or --gateway is needed: where is the {kind} gateway?")
    sender = options.sms_sender if kind == "sms" else ""
    account = getattr(options, f"{kind}_account")
    return Endpoint(session, url.rstrip("/"), account, os.environ.get(_secret(kind), "local"), sender)


def _limits(options: argparse.Namespace, kind: str) -> Limits:
    return Limits(concurrency=getattr(options, f"{kind}_concurrency"), rate=getattr(options, f"{kind}_rate"))


if __name__ == "__main__":
    sys.exit(main())
