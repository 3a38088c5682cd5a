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
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import timedelta

from confluent_kafka import KafkaException

from .consumer import Consumer
from .errors import UnrecoverableError, UnusableError
from .likes import Feed
from .options import Parser, addresses, command, count, redis_url, setting, store, window
from .outbox import Outbox
from .redis_client import SENTINEL_SCHEME
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


def make_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(
        prog="python -m feed", allow_abbrev=False, fromfile_prefix_chars="@",
        description="Count likes, keep news feeds, ask for pushes.",
        epilog="@FILE stands for what is in a file: each line is an option, or a value of one.",
    )  # fmt: skip
    parser.add_argument("command", nargs="?", type=command, help="what to do instead of serving: replay or trending")
    parser.add_argument(
        "--kafka", metavar="ADDRESS", type=addresses, required=True, help="bootstrap servers, host:port[,host:port]"
    )
    parser.add_argument(
        "--redis", metavar="URL", type=redis_url, default=os.environ.get("FEED_REDIS", "redis://localhost"),
        help=f"where the mailbox is: redis://host:port/db, or {SENTINEL_SCHEME}host:port,host:port/service/db;"
        " also $FEED_REDIS",
    )  # fmt: skip
    parser.add_argument("--cluster", action="store_true", help="--redis names a node of a Redis Cluster")
    parser.add_argument(
        "--store", metavar="PATH", type=store, default=os.environ.get("FEED_STORE", "feed.db"),
        help="an SQLite file, or postgresql+psycopg://…; also $FEED_STORE",
    )  # fmt: skip
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


def client(options: argparse.Namespace) -> Settings:
    """Give the settings of Kafka's clients. Checksums are compared, so that no damaged record is counted as another."""
    return {"check.crcs": True, "bootstrap.servers": options.kafka, **dict(options.settings)}


def consume(options: argparse.Namespace) -> None:
    """Run the service."""
    with told_to_stop() as stopping:
        store = Store(options.store)
        outbox = Outbox(store, options.redis, cluster=options.cluster, adopt_store=options.adopt_store)
        feed = Feed(store)
        consumer = Consumer(client(options), feed, outbox, skip_lost=options.skip_lost)
        server: AbstractContextManager[None] = nullcontext()
        if options.http:
            from .http import make_app, serve

            server = serve(make_app(feed, consumer.problem, consumer.silence), options.http)
        with server, closing(consumer), outbox.sending():
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
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)  # Python's own end may abort in a thread that still waits for Redis, Kafka or the database
