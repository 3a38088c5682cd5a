"""A channel declares what is to be left of its deliveries, and its consumers are held to that."""

import json

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from contract_test.replay.deliveries import snapshot

from .conftest import CATALOG, line, order

SERVICE = """
import pytest

class Shop:
    def __init__(self):
        self.orders, self.mails, self.last = {}, [], None

    def handle(self, order):
        HANDLE

@pytest.fixture
def shop():
    return Shop()

@pytest.fixture
def contract_state(shop):
    return lambda: {"orders": shop.orders, "mails": shop.mails, "last": shop.last}

@pytest.mark.consumes("order.placed")
def test_orders(message, shop, contract_state, acknowledge):
    shop.handle(message)
    acknowledge()
    assert message.order_id in shop.orders
"""
ONCE = (
    "if order.order_id not in self.orders: self.mails.append(order.order_id)\n        self.orders[order.order_id] = 1"
)
SETTINGS = 'service = "mailer"\npackage = "acme"\ncontracts = "contracts"\nallow_empty = ["mail.requested"]'


def declare(repo, delivery: str, handle: str = ONCE, protocol: str = "redis-list") -> None:
    channel_lines = f'protocol = "{protocol}"\ndelivery = "{delivery}"\naddress = "orders"'
    (repo.contracts / "catalog.toml").write_text(
        CATALOG.replace('protocol = "kafka"\naddress = "orders"', channel_lines)
    )
    repo.record("mail.requested", []).unlink()
    generate(load_catalog(repo.contracts), "acme", repo.pytester.path)
    repo.settings(SETTINGS)
    repo.tests(SERVICE.replace("HANDLE", handle))


def run(repo, *options: str) -> pytest.RunResult:
    return repo.run("--contracts-only-recorded", *options)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_each_message_comes_twice_and_after_a_crash_and_each_pair_in_the_other_order(repo, options):
    declare(
        repo,
        "exactly-once",
        ONCE.replace("self.mails.append(order.order_id)", "self.mails = sorted([*self.mails, order.order_id])"),
    )
    result = run(repo, "-v", *options)
    result.assert_outcomes(passed=3 + 3 + 3 + 3 + 2)
    for name in (
        "v1.jsonl:1 twice",
        "v1.jsonl:3 crash",
        "v1.jsonl:3 acknowledged",
        "v1.jsonl:2 before 1",
        "v1.jsonl:3 before 2",
    ):
        assert any(f"order.placed-v1[{name}]" in each and "PASSED" in each for each in result.outlines), name


def test_an_effect_that_is_done_again_is_red_with_its_place(repo):
    declare(repo, "exactly-once", "self.orders[order.order_id] = 1; self.mails.append(order.order_id)")
    result = run(repo, "-k", "twice or crash")
    result.assert_outcomes(failed=6, deselected=8)
    result.stdout.fnmatch_lines([
        "*the channel 'orders' declares exactly-once: the same message twice has to leave the same state as each message once",
        "*  /mails: expected an array of 1, found an array of 2",
        "check      effect-not-as-declared",
        "what to do  Let the handler recognise what it has done, by the message's id; or declare another `delivery`.",
    ])  # fmt: skip


def test_an_effect_that_hangs_on_the_order_is_red(repo):
    declare(repo, "exactly-once", f"{ONCE}; self.last = order.order_id; self.mails = []")
    result = run(repo)
    result.assert_outcomes(passed=12, failed=2)
    result.stdout.fnmatch_lines(['*  /last: expected "o1", found "o0"'])


def test_a_crash_before_the_acknowledgement_finds_effects_that_are_counted_too_late(repo):
    body = "if order.order_id not in self.orders: self.last = (self.last or 0) + 1\n        self.done = order.order_id"
    declare(repo, "exactly-once", body)
    test = SERVICE.replace("HANDLE", body).replace(
        "    acknowledge()\n", "    acknowledge()\n    shop.orders[message.order_id] = 1\n"
    )
    repo.tests(test)
    result = run(repo, "-k", "crash or twice")
    result.assert_outcomes(passed=3, failed=3, deselected=8)
    result.stdout.fnmatch_lines(["*a crash before it is acknowledged, and the message again has to leave*"])


def test_a_message_that_is_acknowledged_before_it_is_handled_is_red(repo):
    declare(repo, "at-least-once")
    early = "    acknowledge()\n    shop.handle(message)\n"
    repo.tests(SERVICE.replace("HANDLE", ONCE).replace("    shop.handle(message)\n    acknowledge()\n", early))
    result = run(repo, "-k", "crash or acknowledged")
    result.assert_outcomes(passed=3, failed=3, deselected=8)
    result.stdout.fnmatch_lines(["*a crash as soon as it is acknowledged, and the message never again has to leave*"])


def test_at_least_once_may_do_more_and_never_less(repo):
    declare(repo, "at-least-once", "self.orders[order.order_id] = 1; self.mails.append(order.order_id)")
    run(repo).assert_outcomes(passed=14)
    repo.tests(SERVICE.replace("HANDLE", "self.orders[order.order_id] = 1; self.mails = [order.order_id]"))
    result = run(repo, "-k", "before")
    result.assert_outcomes(failed=2, deselected=12)
    result.stdout.fnmatch_lines(['*  /mails/0: expected "o1", found nothing'])


def test_a_handler_that_raises_on_what_it_knows_is_red(repo):
    declare(repo, "at-least-once", "assert order.order_id not in self.orders; self.orders[order.order_id] = 1")
    run(repo, "-k", "twice").assert_outcomes(failed=3, deselected=11)


def test_of_two_messages_the_one_that_the_service_choked_on_is_shown(repo):
    declare(repo, "exactly-once", f"assert order.order_id != 'o2'\n        {ONCE}")
    run(repo, "-k", "before", "--contracts-report=found.json")
    (operation,) = json.loads((repo.pytester.path / "found.json").read_text())["operations"]
    (failed,) = [each for each in operation["failed"] if each["failure"]["check"] == "handler-failed"]
    assert (failed["place"], json.loads(failed["message"])) == (
        "contracts/order.placed/recordings/v1.jsonl:3",
        order(2),
    )


def test_kafka_keeps_the_order_of_a_key(repo):
    declare(repo, "exactly-once", ONCE, protocol="kafka")
    lines = [line("order.placed", 1, order(number)) for number in range(3)]
    keyed = [each.replace('{"channel"', f'{{"key": "{key}", "channel"') for key, each in zip("aab", lines, strict=True)]
    repo.record("order.placed", keyed)
    result = run(repo, "-v", "-k", "before")
    result.assert_outcomes(failed=1, deselected=12)
    assert any("v1.jsonl:3 before 2" in each for each in result.outlines)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_no_state_to_compare_is_red_and_says_what_to_write(repo, delivery):
    declare(repo, delivery)
    repo.tests(SERVICE.replace("HANDLE", ONCE).replace("shop, contract_state,", "shop,"))
    result = run(repo)
    assert result.ret == 1
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["the channel of order.placed declares its delivery, and no test names the state*"])


def test_a_channel_that_declares_nothing_asks_for_nothing(repo):
    declare(repo, "at-most-once")
    run(repo).assert_outcomes(passed=3)


def test_a_state_that_is_no_function_is_red(repo):
    declare(repo, "exactly-once")
    repo.tests(SERVICE.replace("HANDLE", ONCE).replace("return lambda: {", "return {"))
    result = run(repo, "-k", "twice")
    result.assert_outcomes(failed=3, deselected=11)
    result.stdout.fnmatch_lines(["*`contract_state` gives a dict; let it give a function*"])


def test_a_fixture_with_one_message_cannot_take_two(repo):
    declare(repo, "exactly-once")
    text = SERVICE.replace("HANDLE", ONCE).replace("def contract_state(shop):", "def contract_state(shop, message):")
    repo.tests(text)
    result = run(repo, "-k", "before or twice")
    result.assert_outcomes(passed=3, failed=2, deselected=9)
    result.stdout.fnmatch_lines(["*the fixture `contract_state` asks for a message, and here two of them arrive*"])


def test_async_consumers_too(repo):
    declare(repo, "exactly-once", "self.orders[order.order_id] = 1; self.mails.append(order.order_id)")
    text = SERVICE.replace("HANDLE", "self.orders[order.order_id] = 1; self.mails.append(order.order_id)")
    repo.tests(text.replace("def test_orders", "async def test_orders"))
    result = run(repo, "-o", "asyncio_mode=auto")
    result.assert_outcomes(passed=6, failed=8)


def test_a_state_of_records_sets_and_times_is_compared_by_value():
    from dataclasses import dataclass
    from datetime import UTC, datetime
    from typing import NamedTuple

    @dataclass
    class Row:
        when: datetime

    class Pair(NamedTuple):
        one: int

    noon = datetime(2026, 1, 1, tzinfo=UTC)
    assert snapshot({1: {"b", "a"}, "rows": [Row(noon)], "pair": Pair(1), "none": (None, True)}) == {
        "1": ["a", "b"],
        "rows": [{"when": repr(noon)}],
        "pair": {"one": 1},
        "none": [None, True],
    }
