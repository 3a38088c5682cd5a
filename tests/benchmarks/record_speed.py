"""How many messages one process records in a second, step by step: `python tests/benchmarks/record_speed.py`.

Messages of about 600 bytes, in the processor's time. A recorder scrubs what it keeps; the last rows scrub every message,
as for a channel on which everything is new.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from table import Row, report

from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.record.message_scrubber import Scrubber
from contract_test.record.recorder import Recorder
from envelopes import encode
from envelopes.messages import MessagePosted

MESSAGES = 20_000
CATALOG = load_catalog(Path(__file__).parents[2] / "contracts")
CHANNEL = CATALOG.channels["activity"]


def messages(count: int = MESSAGES) -> list[Tapped]:
    """Messages of which most bytes are people's."""
    random, made = Random(1), []
    for number in range(count):
        who = {"person_id": f"p-{random.randrange(10**6):06}", "name": f"Ana Garcia {number % 977}", "locale": "sv"}
        posted = {
            "message_id": f"m-{number:08}",
            "group": {"group_id": f"g-{number % 100:04}", "name": "Blue team of people", "size": 4},
            "author": who,
            "mentions": [who],
            "kind": ("text", "photo", "voice")[number % 3],
            "text": f"Lunch at one? {number} " * 5,
            "posted_at": "2026-03-01T12:00:00Z",
        }
        made.append(Tapped(encode(MessagePosted.model_validate(posted), source="/web"), {"offset": number}))
    return made


def seconds(work: Callable[[], object]) -> float:
    """The best of three runs, in the processor's time."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def rows() -> Iterator[Row]:
    """Each step, as messages a second in one process."""
    taken = messages()
    size = f"{sum(len(each.wire) for each in taken) / MESSAGES:.0f} B a message"

    def each_scrubbed(messages: list[Tapped]) -> None:
        """Decode, validate, count fields, fingerprint and scrub every message."""
        recorder = Recorder(CATALOG, CHANNEL, b"a key", 3)
        scrubber = Scrubber(CATALOG, CHANNEL, b"a key")
        for each in messages:
            validated = recorder._checker.check(each).data
            recorder._recording_of(validated.validator).message_shapes.of(validated.data)
            scrubber.interaction(each, validated.validator.contract, validated.data)

    fresh = Recorder(CATALOG, CHANNEL, b"a key", 3)
    few = taken[: MESSAGES // 10]
    for what, count, work, least in (
        ("decode and validate", MESSAGES, lambda: [fresh._contracts.read(each.wire, CHANNEL) for each in taken], None),
        ("… and count fields", MESSAGES, lambda: [fresh._checker.check(each) for each in taken], None),
        ("as `record` runs", MESSAGES, lambda: Recorder(CATALOG, CHANNEL, b"a key", 3).take_all(taken), 40_000),
        ("with every message scrubbed", len(few), lambda: each_scrubbed(few), 10_000),
    ):
        yield Row("recording", what, count / seconds(work), "messages/s", least=least, note=size)


if __name__ == "__main__":
    report(rows)
