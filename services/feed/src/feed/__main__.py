"""`python -m feed`: run the service until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from .consumer import Consumer, DeadLetterError
from .feed import Feed
from .outbox import STREAM, Outbox
from .store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code: 0 after SIGTERM or SIGINT, 3 where a dead letter could not be written."""
    parser = argparse.ArgumentParser(prog="python -m feed", description="Count likes, keep news feeds, ask for pushes.")
    parser.add_argument("--kafka", required=True, metavar="ADDRESS", help="bootstrap servers, host:port[,host:port]")
    parser.add_argument("--redis", required=True, metavar="URL", help="where the transport's mailbox is")
    parser.add_argument("--store", required=True, metavar="PATH", help="an SQLite file, or postgresql+psycopg://…")
    parser.add_argument(
        "--session", type=float, default=6.0, metavar="SECONDS",
        help="a member that is silent for so long loses its partitions (default: %(default)s, the least that a broker "
        "allows unless told otherwise)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    logging.basicConfig(format="feed: %(message)s", level=logging.WARNING, stream=sys.stderr)

    store = Store(options.store)
    ready = f"feed: ready: reads {STREAM} at {options.kafka} as a member of group feed"
    outbox = Outbox(store, options.redis)
    consumer = Consumer(options.kafka, Feed(store), outbox, session=options.session, ready=lambda: say(ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stop())
    try:
        consumer.run()
    except DeadLetterError as error:
        say(f"feed: stopped: {error}")
        return 3
    finally:
        store.close()
    return 0


def say(line: str) -> None:
    """Tell the person at the terminal; standard output is for data only."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
