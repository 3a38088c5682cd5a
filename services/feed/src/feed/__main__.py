"""`python -m feed`: run the service until SIGTERM; `replay` and `trending` beside it."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from urllib.parse import urlsplit

from confluent_kafka import KafkaException

from .consumer import Consumer
from .errors import UnrecoverableError, UnusableError
from .likes import Feed
from .outbox import Outbox
from .redis_client import SENTINEL_SCHEME, check_url
from .replay import replay
from .store import UNAVAILABLE, Store
from .stream import Settings
from .trending import run as run_trending

log = logging.getLogger("feed")

SECONDS_TO_STOP = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code: 0 after SIGTERM or SIGINT, 2 for what is set up wrong, 3 where it could not go on."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(format="feed: %(message)s")
    log.setLevel(logging.INFO)
    gc.freeze()  # messages make no cycles, and a look for some after every 700 objects costs a third of the throughput
    gc.set_threshold(1_000_000)
    try:
        {"replay": rebuild, "trending": watch, None: consume}[options.command](options)
    except ValueError as error:
        parser.error(str(error))
    except UnusableError as error:
        log.error("%s", error)  # noqa: TRY400 - as below
        return 2
    except (UnrecoverableError, KafkaException, *UNAVAILABLE) as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - for the person at the terminal: where it was raised is no help
        return 3
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m feed", description="Count likes, keep news feeds, ask for pushes.")
    parser.add_argument("command", nargs="?", choices=["replay", "trending"], help="what to do instead of serving")
    parser.add_argument(
        "--kafka", metavar="ADDRESS", type=addresses, required=True, help="bootstrap servers, host:port[,host:port]"
    )
    parser.add_argument(
        "--redis", metavar="URL", type=redis_url, default="redis://localhost",
        help=f"where the mailbox is: redis://host:port/db, or {SENTINEL_SCHEME}host:port,host:port/service/db",
    )  # fmt: skip
    parser.add_argument("--cluster", action="store_true", help="--redis names a node of a Redis Cluster")
    parser.add_argument("--store", metavar="PATH", default="feed.db", help="an SQLite file, or postgresql+psycopg://…")
    parser.add_argument(
        "--adopt-store", action="store_true", help="the store was moved on purpose: make this one the group's"
    )
    parser.add_argument("--http", metavar="HOST:PORT", help="serve the feed, /healthz, /livez and /metrics here")
    parser.add_argument(
        "-X", dest="settings", type=setting, action="append", default=[], metavar="NAME=VALUE",
        help="a setting of Kafka's client (librdkafka), as security.protocol=SSL; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--skip-lost", action="store_true", help="go on behind messages that were deleted before they were read"
    )
    group = parser.add_argument_group("replay", "Rebuild the store from the stream, beside the live one; then switch.")
    group.add_argument("--from", dest="start", default="beginning", help="beginning, an offset, or a time")
    group.add_argument("--into", metavar="NAME", default="replayed", help="the new generation's name: a-z, 0-9, _")
    group = parser.add_argument_group("trending", "Print the most liked messages whenever they change, as JSON lines.")
    group.add_argument("--window", type=window, default=timedelta(hours=1), metavar="SECONDS")
    group.add_argument("--top", type=count, default=10, metavar="N")
    return parser


# argparse turns a ValueError from these into a usage error with their name.


def count(text: str) -> int:
    """Parse an integer of at least 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def window(text: str) -> timedelta:
    """Parse a number of seconds above 0, of at most a thousand years."""
    if not 0 < (seconds := float(text)) < 1000 * 365 * 86400:
        raise ValueError(text)
    return timedelta(seconds=seconds)


def addresses(text: str) -> str:
    """Return addresses of servers whose ports are ports."""
    _ = [urlsplit(f"//{each.rpartition('://')[2]}").port for each in text.split(",")]  # raises for others
    return text


def redis_url(text: str) -> str:
    """Return the URL of a Redis."""
    return check_url(text)


def setting(text: str) -> tuple[str, str]:
    """Take `NAME=VALUE` apart."""
    name, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    if reason := RESERVED_SETTINGS.get(name) or RESERVED_SETTINGS.get(text):
        raise argparse.ArgumentTypeError(f"{text} cannot be given: {reason}")
    return name, value


RESERVED_SETTINGS = {
    **dict.fromkeys(("bootstrap.servers", "metadata.broker.list"), "use --kafka"),
    **dict.fromkeys(("enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "auto.offset.reset"),
                    "the offsets are in the store"),
    "group.id": "the groups are named feed and trending",
    "group.protocol=consumer": "it has not been tried",
    "enable.partition.eof": "replay needs it",
    **dict.fromkeys(("enable.idempotence", "transactional.id"), "dead letters are written with idempotence"),
    **dict.fromkeys(("error_cb", "stats_cb", "throttle_cb", "oauth_cb", "on_commit", "on_delivery", "logger"),
                    "it is a function"),
}  # fmt: skip


def client(options: argparse.Namespace) -> Settings:
    """Give the settings of Kafka's clients. Checksums are compared, so that no damaged record is counted as another."""
    return {"check.crcs": True, "bootstrap.servers": options.kafka, **dict(options.settings)}


def consume(options: argparse.Namespace) -> None:
    """Run the service."""
    store = Store(options.store)
    outbox = Outbox(store, options.redis, cluster=options.cluster, adopt_store=options.adopt_store)
    feed = Feed(store)
    consumer = Consumer(client(options), feed, outbox, skip_lost=options.skip_lost)
    server: AbstractContextManager[None] = nullcontext()
    if options.http:
        from .http import make_app, serve

        server = serve(make_app(feed, consumer.problem, consumer.silence), options.http)
    with told_to_stop() as stopping:
        with server, outbox.sending():
            consumer.run(stopping)
        store.close()


def rebuild(options: argparse.Namespace) -> None:
    """Replay the stream into a new generation of the store."""
    number = replay(client(options), Store(options.store), options.start, options.into)
    log.info("generation %s is live; %d messages were taken in again", options.into, number)


def watch(options: argparse.Namespace) -> None:
    """Print what trends."""
    with told_to_stop() as stopping:
        run_trending(client(options), options.window, options.top, stopping)


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Handle SIGTERM and SIGINT; yield a function that returns whether one was received.

    After it was, the block must end in time. Otherwise the process ends as it is: what is not stored yet is read again.
    """
    deadline = threading.Timer(SECONDS_TO_STOP, end_at_once)
    deadline.daemon = True
    signals: list[int] = []

    def stop(number: int, _: object) -> None:
        if not signals:
            deadline.start()
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    yield lambda: bool(signals)
    deadline.cancel()


def end_at_once() -> None:
    """End the process, whatever hangs: the database, or Kafka's client."""
    log.warning("something hangs, and is not waited for")
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
