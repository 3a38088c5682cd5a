"""`python -m transport`: deliver until SIGTERM or SIGINT. `python -m transport status`: what is going on."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing, nullcontext
from math import inf

import aiohttp
from pythonjsonlogger.json import JsonFormatter
from redis.asyncio.connection import parse_url

from envelopes.messages import CATALOG

from .books import Books
from .gateways import GATEWAYS, Endpoint
from .link import REDIS_AWAY, AnyRedis, connect
from .mailbox import PREFIX, Mailbox
from .settings import Settings
from .status import show_status
from .valve import Limits, Valve
from .worker import Worker

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
    _log_to_stderr(options.log_level)
    if options.command == "work":
        asyncio.run(_work(options))
        return 0
    try:
        asyncio.run(_status(options))
    except REDIS_AWAY as error:
        sys.stderr.write(f"transport: Redis does not answer; is it what --redis names? {error}\n")
        return 3
    return 0


def _log_to_stderr(level: str) -> None:
    """Write logs as one JSON object a line: `time`, `level`, `logger`, `event`, and the record's own fields."""
    names = {"levelname": "level", "name": "logger", "message": "event", "exc_info": "traceback"}
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(list(names)[:3], rename_fields=names, timestamp="time"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


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
        default = getattr(Settings(), name)
        read = count if isinstance(default, int) else amount
        add(f"--{name}", type=read, default=default, metavar=unit, help=f"{text}; %(default)s")
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


def _mailboxes(options: argparse.Namespace, redis: AnyRedis, token: str) -> list[Mailbox]:
    """One for each queue, with the channel of its address; what the catalog does not name is like `transport`."""
    usual = CATALOG.channel("transport")
    channels = {each.address: each for each in CATALOG.channels.values()}
    names = options.queue or [usual.address.removeprefix(PREFIX)]
    return [
        Mailbox(redis, name, channels.get(PREFIX + name, usual), list(GATEWAYS), token, options.lease) for name in names
    ]


async def _status(options: argparse.Namespace) -> None:
    async with aclosing(connect(options.redis, cluster=options.cluster)) as redis:
        sys.stdout.write(await show_status(_mailboxes(options, redis, "status")) + "\n")


def calm_collector() -> None:
    """Let the garbage collector look less often, and not at what was imported: jobs are no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _work(options: argparse.Namespace) -> None:
    calm_collector()
    token = secrets.token_hex(6)
    async with (
        aclosing(connect(options.redis, cluster=options.cluster)) as redis,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=options.timeout)
        ) as session,
    ):
        gateways = {kind: make(_endpoint(options, kind, session)) for kind, make in GATEWAYS.items()}
        valves = [Valve(kind, _limits(options, kind), redis) for kind in GATEWAYS]
        mailboxes = _mailboxes(options, redis, token)
        books = Books(redis, [box.queue for box in mailboxes], token)
        settings = Settings(**{name: getattr(options, name) for name, *_ in _SETTINGS})
        worker = Worker(mailboxes, gateways, valves, books, settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        async with worker.metrics.serving(*options.metrics) if options.metrics else nullcontext():
            await worker.run()


def _endpoint(options: argparse.Namespace, kind: str, session: aiohttp.ClientSession) -> Endpoint:
    url = getattr(options, f"{kind}_url") or options.gateway
    if url is None:
        _parser().error(f"--{kind}-url or --gateway is needed: where is the {kind} gateway?")
    account, secret = getattr(options, f"{kind}_account"), os.environ.get(_secret(kind), "local")
    return Endpoint(session, url.rstrip("/"), account, secret, options.sms_sender)


def _limits(options: argparse.Namespace, kind: str) -> Limits:
    return Limits(getattr(options, f"{kind}_concurrency"), getattr(options, f"{kind}_rate"))


if __name__ == "__main__":
    sys.exit(main())
