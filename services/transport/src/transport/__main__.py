"""Deliver pushes and SMS until SIGTERM or SIGINT. `status` shows the state of all workers instead."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
from pythonjsonlogger.json import JsonFormatter
from redis.asyncio.connection import parse_url

from envelopes.messages import CATALOG

from .connection import REDIS_UNAVAILABLE, SENTINEL_SCHEME, AnyRedis, RedisUnusableError, connected, parse_sentinel_url
from .gateways import GATEWAYS, Credential, Endpoint
from .http_server import CannotListenError
from .job_queue import QUEUE_PREFIX, JobQueue, OldKeysError
from .limiter import GatewayLimiter, Limits
from .registry import ResqueRegistry
from .settings import Settings
from .status import show_status
from .worker import Worker

log = logging.getLogger("transport")

_HOST = r"(\[[\w:.%]*\]|[^\s:@/?#,\[\]]*)(:\d+)?"
_URL = re.compile(rf"[a-z][a-z0-9+]*://([^\s:@/?#]*(:[^\s:@/?#]*)?@)?{_HOST}(,{_HOST})*([/?#][^\s@]*)?")
"""A URL in which it is clear where the password ends: others might be taken for a host that an error names."""
_QUOTING = re.compile(
    r"(unrecognized arguments|ignored explicit argument|invalid choice|invalid \w+ value).*", re.DOTALL
)

_SETTINGS = (
    ("batch", "N", "jobs per fetch"),
    ("lease", "S", "a worker that is silent for this long is dead"),
    ("deadline", "S", "the longest time that a stop may take"),
    ("attempts", "N", "failed attempts before a job goes to resque:failed"),
    ("max_job_bytes", "N", "larger jobs go to resque:failed"),
    ("backoff", "S", "pause after the first failure"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return 0 after a stop, 2 for a usage error or keys of an old version, 3 without Redis."""
    options = _parser().parse_args(arguments)
    _log_to_stderr(options.log_level)
    if options.command == "work":
        try:
            asyncio.run(_work(options))
        except (CannotListenError, OldKeysError, RedisUnusableError) as error:
            sys.stderr.write(f"transport: {error}\n")
            return 2
        return 0
    try:
        asyncio.run(_status(options))
    except REDIS_UNAVAILABLE as error:
        sys.stderr.write(f"transport: Redis does not answer. Check --redis. The error was: {error}\n")
        return 3
    return 0


def _log_to_stderr(level: str) -> None:
    """Log one JSON object per line, with `time`, `level`, `logger`, `event`, and the record's own fields."""
    names = {"levelname": "level", "name": "logger", "message": "event", "exc_info": "traceback"}
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(list(names)[:3], rename_fields=names, timestamp="time"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong with an option without quoting its value, which may be a password."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        super().error(_QUOTING.sub(r"\1", message))


def _parser() -> Parser:
    parser = Parser(
        prog="transport", description=__doc__, allow_abbrev=False, fromfile_prefix_chars="@",
        epilog="@FILE stands for what is in a file: each line is an option, or a value of one.",
    )  # fmt: skip
    add = parser.add_argument
    add("command", nargs="?", choices=("work", "status"), default="work")
    redis = os.environ.get("TRANSPORT_REDIS")
    text = "redis://host:port/db; also $TRANSPORT_REDIS"
    add("--redis", required=redis is None, default=redis, type=redis_url, metavar="URL", help=text)
    add("--cluster", action="store_true", help="the URL names a node of a Redis Cluster")
    text = "a Resque queue, the most urgent first; by default the queue of the channel"
    add("--queue", action="append", type=queue_names, metavar="NAME", help=text)
    add("--gateway", type=gateway_url, metavar="URL", help="the URL of all gateways that have none of their own")
    for kind in GATEWAYS:
        for name, read, unit, default, text in _GATEWAY_OPTIONS:
            described = text.format(kind=kind, secret=_secret(kind))
            add(f"--{kind}-{name}", type=read, metavar=unit, default=default, help=described)
    text = "a number or a Messaging Service SID; %(default)s"
    add("--sms-sender", default="+15005550006", metavar="NUMBER", help=text)
    add("--timeout", type=amount, default=10.0, metavar="S", help="for the response of a gateway; %(default)s")
    for name, unit, text in _SETTINGS:
        value = getattr(Settings(), name)
        read = count if isinstance(value, int) else amount
        add(f"--{name.replace('_', '-')}", type=read, default=value, metavar=unit, help=f"{text}; %(default)s")
    add("--metrics", type=address, metavar="HOST:PORT", help="serve /metrics, /healthz and /livez there")
    add("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return parser


# argparse turns a ValueError from these into a usage error with their name.


def count(text: str) -> int:
    """Parse an integer of at least 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def amount(text: str) -> float:
    """Parse a finite number above 0."""
    if not 0 < (number := float(text)) < inf:
        raise ValueError(text)
    return number


def address(text: str) -> tuple[str, int]:
    """Parse HOST:PORT. `:PORT` means 127.0.0.1."""
    host, _, port = text.rpartition(":")
    if not 0 <= int(port) < 1 << 16:
        raise ValueError(text)
    return host or "127.0.0.1", int(port)


def queue_names(text: str) -> str:
    """Return the name of a queue, or several with commas between them."""
    if "*" in text or not all(text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a queue: name each queue, patterns do not work")
    return text


def gateway_url(text: str) -> str:
    """Return an absolute HTTP URL without a slash at its end."""
    url = urlsplit(text if _URL.fullmatch(text) else "")
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0 or url.username is not None:
        raise ValueError
    return text.rstrip("/")


def redis_url(text: str) -> str:
    """Return the URL if redis-py accepts it."""
    try:
        if _URL.fullmatch(text):
            return _redis_url(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        "not a URL such as redis://user:password@host:6379/0. In a password, write %40 for @, %3A for : and %2F for /"
    )


def _redis_url(text: str) -> str:
    if text.startswith(SENTINEL_SCHEME):
        sentinels, *_ = parse_sentinel_url(text)
        if not any(map(_has_address, sentinels)):  # redis-py's error would not say it
            raise argparse.ArgumentTypeError("no host of a sentinel has an address")
        return text
    parse_url(text)
    if (db := urlsplit(text).path.strip("/")) and not text.startswith("unix:"):
        int(db)  # redis-py takes database 0 for what is no number
    return text


_GATEWAY_OPTIONS: tuple[tuple[str, Callable[[str], Any], str, Any, str], ...] = (
    ("url", gateway_url, "URL", None, "the URL of the {kind} gateway; its secret is in ${secret}"),
    ("account", str, "NAME", "local", "the project or account at the gateway; %(default)s"),
    ("secret-file", Path, "PATH", None, "read the secret from this file, again when the gateway rejects it"),
    (
        "secret-command",
        str,
        "COMMAND",
        "",
        "the secret is the output of this command, run again when it is rejected",
    ),
    ("rate", amount, "N", None, "requests in any one second, from all workers together"),
    ("concurrency", count, "N", Limits().concurrency, "requests in flight; %(default)s"),
)
"""The options of each gateway: name, how its text is read, unit, default, help."""


def _has_address(place: tuple[str, int]) -> bool:
    try:
        return bool(socket.getaddrinfo(*place))
    except OSError:
        return False


def _secret(kind: str) -> str:
    return f"TRANSPORT_{kind.upper()}_SECRET"


def _job_queues(options: argparse.Namespace, redis: AnyRedis, token: str) -> list[JobQueue]:
    """Return the queues. A queue that the catalog does not name has the settings of the channel `transport`."""
    default = CATALOG.channel("transport")
    channels = {each.address: each for each in CATALOG.channels.values()}
    names = [name for text in options.queue or () for name in text.split(",")] or [
        default.address.removeprefix(QUEUE_PREFIX)
    ]
    queues = [JobQueue(redis, name, channels.get(QUEUE_PREFIX + name, default), token, options.lease) for name in names]
    if options.cluster and len({queue.hash_tag for queue in queues}) > 1:
        _parser().error("on a Cluster, all --queue of a worker need one hash tag, for example '{t}:high' and '{t}:low'")
    return queues


async def _status(options: argparse.Namespace) -> None:
    async with connected(options.redis, cluster=options.cluster) as redis:
        sys.stdout.write(await show_status(_job_queues(options, redis, "status")) + "\n")


def tune_garbage_collector() -> None:
    """Run the garbage collector less often, and without the imported modules. Jobs form no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _work(options: argparse.Namespace) -> None:
    tune_garbage_collector()
    token = secrets.token_hex(6)
    async with (
        connected(options.redis, cluster=options.cluster) as redis,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=options.timeout)
        ) as session,
    ):
        gateways = {kind: make(_endpoint(options, kind, session)) for kind, make in GATEWAYS.items()}
        limiters = [GatewayLimiter(kind, _limits(options, kind), redis) for kind in GATEWAYS]
        queues = _job_queues(options, redis, token)
        registry = ResqueRegistry(redis, [queue.name for queue in queues], token)
        settings = Settings(**{name: getattr(options, name) for name, *_ in _SETTINGS})
        worker = Worker(queues, gateways, limiters, registry, settings)
        actions: dict[int, Callable[[], None]] = dict.fromkeys(
            (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT), worker.stop
        )
        actions[signal.SIGUSR1] = partial(log.warning, "requests in flight end after --timeout at the latest")
        actions[signal.SIGUSR2] = partial(worker.state.pause, paused=True)
        actions[signal.SIGCONT] = partial(worker.state.pause, paused=False)
        for number, action in actions.items():  # they mean what they mean to Resque's workers
            asyncio.get_running_loop().add_signal_handler(number, action)
        async with worker.metrics.serving(*options.metrics) if options.metrics else nullcontext():
            await worker.run()


def _endpoint(options: argparse.Namespace, kind: str, session: aiohttp.ClientSession) -> Endpoint:
    url = getattr(options, f"{kind}_url") or options.gateway
    if url is None:
        _parser().error(f"the {kind} gateway has no URL: use --{kind}-url or --gateway")
    account, credential = getattr(options, f"{kind}_account"), _credential(options, kind)
    return Endpoint(session, url, account, credential, options.sms_sender)


def _credential(options: argparse.Namespace, kind: str) -> Credential:
    file, command = getattr(options, f"{kind}_secret_file"), getattr(options, f"{kind}_secret_command")
    return Credential(os.environ.get(_secret(kind), "local"), file, command)


def _limits(options: argparse.Namespace, kind: str) -> Limits:
    return Limits(getattr(options, f"{kind}_concurrency"), getattr(options, f"{kind}_rate"))


if __name__ == "__main__":
    sys.exit(main())
