"""A subject on several channels: regions with codecs of their own, a retry topic, a dead-letter queue."""

import pytest
from packages import generated

from envelopes import Envelope, UnknownNameError, Wire
from envelopes.publisher import Publisher

CATALOG = """
[channels.orders-eu]
protocol = "kafka"
address = "orders.eu"
codec = "cloudevents"
mode = "binary"

[channels.orders-us]
protocol = "kafka"
address = "orders.us"
codec = "json"
type = "/kind"

[channels.orders-retry]
protocol = "kafka"
address = "orders.retry"
codec = "cloudevents"

[channels.orders-dlq]
protocol = "redis-list"
address = "dead"
codec = "cloudevents"

[channels.mails]
protocol = "redis-list"
address = "mails:*"
codec = "json"

[subjects."order.placed"]
channels = ["orders-eu", "orders-us"]
retry = "orders-retry"
dead_letter = ["orders-dlq"]
id = "/id"
key = "/id"

[subjects."order.paid"]
channel = "orders-us"
dead_letter = "orders-dlq"

[subjects."mail.sent"]
channel = "mails"
"""
SCHEMA = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {"id": {"type": "string"}, "kind": {"type": "string"}},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    names = ("order.placed", "order.paid", "mail.sent")
    schemas = {(name, 1): SCHEMA for name in names}
    with generated(tmp_path_factory.mktemp("shop"), "channel_shop", CATALOG, schemas) as package:
        yield package


@pytest.fixture
def order(shop):
    return shop.messages.OrderPlaced(id="o-1", kind="order.placed")


def test_a_message_is_written_for_the_first_channel_unless_another_is_named(shop, order):
    first, named = shop.encode(order), shop.encode(order, channel="orders-us")
    assert dict(first.headers)["ce_type"] == b"order.placed"
    assert (bytes(named), named.headers) == (b'{"id":"o-1","kind":"order.placed"}', ())


@pytest.mark.parametrize("channel", ["orders-eu", "orders-us", "orders-retry", "orders-dlq"])
def test_a_message_is_read_on_every_channel_and_says_which(shop, order, channel):
    envelope = shop.decode(shop.encode(order, channel=channel), channel=channel)
    assert (envelope.channel, envelope.type, envelope.data) == (channel, "order.placed", order)


def test_what_was_read_is_passed_on_for_its_channel_or_for_the_one_named(shop, order):
    wire = shop.encode(order, channel="orders-us")
    envelope = shop.decode(Wire(wire, b"o-1", ()), channel="orders-us")
    assert bytes(shop.encode(envelope)) == bytes(wire)
    dead = shop.decode(shop.encode(envelope, channel="orders-dlq"), channel="orders-dlq")
    assert (dead.data, dead.id, dead.type) == (order, "o-1", "order.placed")


def test_the_channel_is_no_part_of_what_is_compared(shop, order):
    wire = shop.encode(Envelope(order, id="e-1", source="/shop"), channel="orders-retry")
    read = shop.decode(wire, channel="orders-retry")
    assert read == shop.decode(wire, channel="orders-dlq")
    assert read.channel == "orders-retry"


def test_a_channel_that_the_subject_is_not_on_is_refused(shop):
    paid = shop.messages.OrderPaid(id="o-1", kind="order.paid")
    with pytest.raises(UnknownNameError, match="orders-us") as raised:
        shop.encode(paid, channel="orders-eu")
    assert "order.paid" in str(raised.value)


def test_the_typed_reader_of_a_channel_reads_every_subject_on_it(shop, order):
    assert shop.messages.decode_orders_dlq(shop.encode(order, channel="orders-dlq")).data == order


@pytest.mark.parametrize(
    ("address", "matching", "other"),
    [
        ("orders.*", ("orders.eu", "orders.eu.1", "orders."), ("orders", "xorders.eu")),
        ("orders", ("orders",), ("orders.eu",)),
        ("*:mails:*", ("a:mails:b",), ("mails",)),
        ("a.b[1]*", ("a.b[1]", "a.b[1]2"), ("a.b1", "aXb[1]")),
    ],
)
def test_an_address_with_a_star_matches_every_address_of_its_form(shop, address, matching, other):
    channel = type(shop.messages.CATALOG.channel("mails"))("c", "kafka", address, "json")
    assert [each for each in (*matching, *other) if channel.matches(each)] == list(matching)


def test_a_publisher_does_not_guess_the_address_of_many(shop):
    publisher = Publisher(None, catalog=shop.messages.CATALOG)
    with pytest.raises(ValueError, match=r"channel mails has many addresses \(mails:\*\)"):
        publisher.publish(shop.messages.MailSent(id="m-1", kind="mail"))
