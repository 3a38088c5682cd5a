"""What novelty and scrubbing add to reading, in one run: `python tests/benchmarks/scrub_speed.py`.

Messages of about 600 bytes, in the processor's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from table import Row, report

from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.use_cases.record import Recorder
from contract_test.use_cases.scrubbing import Scrubber
from envelopes import encode
from envelopes.messages import MessagePosted

MESSAGES = 20_000
CATALOG = load_catalog(Path(__file__).parents[2] / "contracts")
CHANNEL = CATALOG.channels["activity"]


def messages() -> list[Tapped]:
    """Messages of which most bytes are people's."""
    random, made = Random(1), []
    for number in range(MESSAGES):
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
    recorder = Recorder(CATALOG, CHANNEL, b"a key", 3)
    read = recorder._contracts.read
    few = [(each, read(each.wire, CHANNEL).data) for each in taken[: MESSAGES // 10]]

    def everything_scrubbed() -> None:
        scrubber = Scrubber(CATALOG, CHANNEL, b"a key")
        for each, judged in few:
            scrubber.interaction(each, judged.judge.contract, judged.data)

    for what, count, work in (
        ("decode and validate", MESSAGES, lambda: [read(each.wire, CHANNEL) for each in taken]),
        ("… and count fields", MESSAGES, lambda: [recorder._observer.observe(each) for each in taken]),
        ("the whole recorder", MESSAGES, lambda: Recorder(CATALOG, CHANNEL, b"a key", 3).take_all(taken)),
        ("scrubbing alone, every message", len(few), everything_scrubbed),
    ):
        yield Row("recording", what, count / seconds(work), "messages/s", least=10_000)


if __name__ == "__main__":
    report(rows)
