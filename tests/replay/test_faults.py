"""Ways to break a producer or a consumer, each with the check that catches it.

The healthy service is green; every fault below is one change of its code, or of what it stands on.
"""

import json
from collections import defaultdict

import pytest
from replay.service_code import write_apart

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

CATALOG = """
[channels.orders]
protocol = "kafka"
address = "orders"
codec = "cloudevents"

[channels.mails]
protocol = "kafka"
address = "mails"
codec = "cloudevents"
mode = "binary"

[subjects."order.placed"]
channel = "orders"
id = "/order_id"
key = "/order_id"
sent_by = ["web"]
received_by = ["shop"]

[subjects."mail.requested"]
channel = "mails"
id = "/mail_id"
key = "/order_id"
caused_by = "/order_id"
volatile = ["/asked_at", "/parts/*/at"]
sent_by = ["shop"]
received_by = ["postman"]

[subjects."mail.read"]
channel = "mails"
sent_by = ["postman"]
"""
TEXT, WHOLE, TIME = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}
CARD = {
    "type": "object",
    "required": ["kind", "last4"],
    "properties": {"kind": {"const": "card"}, "last4": {"type": "string", "pattern": "^[0-9]{4}$"}},
}
CASH = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cash"}}}
ORDER = {
    "type": "object",
    "required": ["order_id", "buyer", "size", "paid", "lines", "tags", "gift", "at"],
    "properties": {
        "order_id": {"type": "string", "pattern": "^o-[0-9]{1,6}$"},
        "buyer": {"type": "object", "required": ["mail"], "properties": {"mail": {"type": "string", "maxLength": 200}, "nick": {"type": ["string", "null"]}}},
        "size": {"enum": ["s", "m", "l"]},
        "paid": {"oneOf": [CARD, CASH]},
        "lines": {"type": "array", "maxItems": 9, "items": {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "minimum": 0, "maximum": 1000}, "weight": {"type": "number", "minimum": -10, "maximum": 10}}}},
        "tags": {"type": "object", "additionalProperties": TEXT},
        "gift": {"type": "boolean"},
        "note": TEXT,
        "at": TIME,
    },
}  # fmt: skip
MAIL = {
    "type": "object",
    "required": ["mail_id", "order_id", "to", "asked_at"],
    "properties": {
        "mail_id": {"type": "string", "pattern": "^mail-"},
        "order_id": TEXT,
        "to": TEXT,
        "cc": {"type": ["string", "null"]},
        "size": {"enum": ["s", "m", "l"]},
        "price": {"type": ["number", "string"]},
        "parts": {"type": "array", "items": {"type": "object", "required": ["text"], "properties": {"text": TEXT, "at": TIME}}},
        "asked_at": TIME,
        "urgent": {"type": "boolean"},
    },
}  # fmt: skip
READ = {"type": "object", "required": ["mail_id"], "properties": {"mail_id": TEXT}}
SERVICE = """
import json
import pytest
from acme.messages import CATALOG, MailRead, MailRequested
from envelopes import Envelope, Wire, encode
"""
CONSUMER = """
def handle{0}(order, envelope):
    seen = [order.order_id, order.buyer.mail, order.buyer.nick, order.size, order.gift, order.note, order.at.year]
    seen += [order.paid.kind, [line.count for line in order.lines], [line.weight for line in order.lines], dict(order.tags)]
    {1}
    return seen

@pytest.mark.consumes("order.placed")
def test_consumer{0}(message, envelope):
    assert handle{0}(message, envelope)
"""
PRODUCER = """
def answer{0}(order):
    mail = MailRequested(
        mail_id="mail-" + order.order_id, order_id=order.order_id, to=order.buyer.mail, cc="office@example.org",
        size=order.size, price=9.99, parts=[{{"text": "hi", "at": "2031-01-01T00:00:00Z"}}, {{"text": "bye"}}],
        asked_at="2030-01-01T00:00:00Z",
    )
    data = json.loads(mail.to_json())
    wire = encode(Envelope(mail, extensions={{"tracestate": "x"}}), source="/shop", catalog=CATALOG)
    {1}
    return [mail]

@pytest.mark.produces("mail.requested", caused_by="order.placed")
def test_producer{0}(cause, emits):
    for mail in answer{0}(cause):
        emits(mail)
"""


def order(number):
    return {
        "order_id": f"o-{number}", "buyer": {"mail": f"b{number}@example.org", "nick": "B"}, "size": "m",
        "paid": {"kind": "card", "last4": "1234"}, "lines": [{"count": 2, "weight": 1.5}], "tags": {"a": "b"},
        "gift": True, "note": "soon", "at": "2026-03-01T12:00:00Z",
    }  # fmt: skip


def mail(number):
    return {
        "mail_id": f"mail-o-{number}", "order_id": f"o-{number}", "to": f"b{number}@example.org", "cc": "Xyzxyz",
        "size": "m", "price": 9.99, "parts": [{"text": "hi", "at": "2026-03-01T12:00:00Z"}, {"text": "bye"}],
        "asked_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def recorded(subject, data, masked=()):
    if subject == "order.placed":
        event = {"specversion": "1.0", "id": data["order_id"], "source": "/web", "type": subject, "data": data}
        row = {"channel": "orders", "payload": event, "key": data["order_id"]}
    else:
        names = {"specversion": "1.0", "id": data["mail_id"], "source": "/shop", "type": subject, "tracestate": "x"}
        names["dataschema"] = f"urn:contract:{subject}:v1"
        headers = {f"ce_{name}": value for name, value in names.items()} | {"content-type": "application/json"}
        row = {"channel": "mails", "payload": data, "headers": headers, "key": data["order_id"]}
    return json.dumps(row | {"format": 1, "subject": subject, "version": 1, "masked": list(masked)}) + "\n"


class Shop:
    """A service repo, and what a run in it finds: by the test's name, the failures."""

    def __init__(self, root, warm_pytest):
        self.root, self.contracts, self._warm_pytest = root, root / "contracts", warm_pytest
        self.contracts.mkdir()
        (self.contracts / "catalog.toml").write_text(CATALOG)
        for subject, schema in (("order.placed", ORDER), ("mail.requested", MAIL), ("mail.read", READ)):
            (self.contracts / subject / "recordings").mkdir(parents=True)
            (self.contracts / subject / "v1.json").write_text(json.dumps(schema))
        self.record("order.placed", [order(1)])
        self.record("mail.requested", [mail(1)], masked=["/cc"])
        generate(load_catalog(self.contracts), "acme", root)
        settings = '[tool.contract-test]\nservice = "shop"\npackage = "acme"\ncontracts = "contracts"\n'
        (root / "pyproject.toml").write_text(settings + "[tool.pytest.ini_options]\npythonpath = ['.']\n")

    def record(self, subject, rows, masked=()):
        path = self.contracts / subject / "recordings" / "v1.jsonl"
        path.write_text("".join(recorded(subject, row, masked) for row in rows))

    def run(self, *tests, options=()):
        write_apart(self.root / "test_shop.py", SERVICE + "".join(tests), "shop")
        report = self.root / "run.json"
        quiet = ("-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
        finished = self._warm_pytest.run(self.root, "--contracts", f"--contracts-report={report}", *quiet, *options)
        assert finished.ret in (0, 1), finished.outlines + finished.errlines
        found = defaultdict(list)
        for operation in json.loads(report.read_text())["operations"]:
            for failed in operation["failed"]:
                found[failed["item"].partition("::")[2].partition("[")[0]].append(failed)
        return found


@pytest.fixture
def shop(tmp_path, warm_pytest):
    return Shop(tmp_path, warm_pytest)


def caught(played, check, shown):
    """Whether one of the failures is by that check, and shows that."""
    return any(
        each["failure"]["check"] == check and shown in json.dumps(each, ensure_ascii=False).replace('\\"', '"')
        for each in played
    )


def test_the_healthy_service_is_green(shop):
    assert shop.run(CONSUMER.format(0, ""), PRODUCER.format(0, ""), options=["--contracts-generated=5"]) == {}


CONSUMERS = {
    # what the consumer does wrong: its code, the check that catches it, and the change of the message that shows it
    "reads a field by another name": ("order.buyer.email", "field-unknown", "/buyer/email"),
    "takes an optional field for granted": ("order.note.upper()", "handler-failed", "/note absent"),
    "takes a nullable field for granted": ("order.buyer.nick.upper()", "handler-failed", "/buyer/nick"),
    "knows two of three values": ("{'s': 1, 'm': 2}[order.size]", "handler-failed", '/size value "l"'),
    "knows one of two alternatives": ("order.paid.last4", "field-unknown", "/paid branch cash"),
    "divides by a number that may be nought": ("[1 / line.count for line in order.lines]", "handler-failed", "count lowest"),
    "keeps a number in too few bits": ("[line.count.to_bytes(1, 'big') for line in order.lines]", "handler-failed", "count highest"),
    "takes the root of what may be negative": ("__import__('math').sqrt(order.lines[0].weight or 0) if order.lines else 0", "handler-failed", "weight lowest"),
    "keeps a text in a short column": ("assert len(order.buyer.mail) <= 100", "handler-failed", "/buyer/mail highest"),
    "knows ASCII only": ("order.buyer.mail.encode('ascii')", "handler-failed", "/buyer/mail unicode"),
    "keeps a text with a NUL out": ("assert '\\0' not in (order.note or '')", "handler-failed", "/note unicode"),
    "takes the first of none": ("order.lines[0]", "handler-failed", "/lines empty"),
    "has room for five": ("assert len(order.lines) <= 5", "handler-failed", "/lines long"),
    "takes any of no tags": ("next(iter(order.tags))", "handler-failed", "/tags empty"),
    "has room for ten tags": ("assert len(order.tags) < 10", "handler-failed", "/tags long"),
    "takes a switch to be on": ("assert order.gift", "handler-failed", "/gift lowest"),
    "adds a day to the last one": ("order.at + __import__('datetime').timedelta(days=1)", "handler-failed", "/at highest"),
    "takes every time to be UTC": ("assert not order.at.utcoffset()", "handler-failed", "/at unicode"),
    "takes every time to be after the millennium": ("assert order.at.year >= 2000", "handler-failed", "/at lowest"),
    "refuses a newer version": ("assert not envelope.newer", "handler-failed", "next version"),
    "changes a message": ("order.note = 'x'", "handler-failed", ""),
    "forgets a key": ("order['order_id']", "handler-failed", ""),
    "has room for five digits": ("assert len(order.order_id) < 8", "handler-failed", "/order_id highest"),
    "takes a note to say something": ("assert order.note is None or order.note", "handler-failed", "/note lowest"),
}  # fmt: skip


@pytest.fixture(scope="module")
def consumers(tmp_path_factory, warm_pytest):
    tests = [CONSUMER.format(number, code) for number, (code, _, _) in enumerate(CONSUMERS.values())]
    producer = PRODUCER.format(0, "")
    shop = Shop(tmp_path_factory.mktemp("consumers"), warm_pytest)
    return shop.run(*tests, producer, options=["--contracts-generated=0"])


@pytest.mark.parametrize("fault", CONSUMERS)
def test_a_broken_consumer_is_caught(consumers, fault):
    _, check, shown = CONSUMERS[fault]
    assert caught(consumers[f"test_consumer{list(CONSUMERS).index(fault)}"], check, shown)


PRODUCERS = {
    # what the producer does wrong: its code, the check that catches it, and where
    "sends nothing": ("return []", "nothing-emitted", ""),
    "sends nothing when a field is absent": ("if order.gift: return []", "nothing-emitted", ""),
    "sends it twice": ("return [mail, mail]", "too-many-emitted", ""),
    "sends it twice with another time": ("return [mail, mail.model_copy(update={'asked_at': '2032-01-01T00:00:00Z'})]", "too-many-emitted", ""),
    "sends it twice with another id": ("return [mail, mail.model_copy(update={'mail_id': 'mail-x'})]", "too-many-emitted", ""),
    "sends it twice with another masked value": ("return [mail, mail.model_copy(update={'cc': 'other@example.org'})]", "too-many-emitted", ""),
    "sends it three times": ("return [mail, *(data | {'mail_id': f'mail-{n}'} for n in range(2))]", "too-many-emitted", ""),
    "sends one more for another cause": ("return [mail, mail.model_copy(update={'order_id': 'o-7', 'to': 'c@example.org'})]", "wrong-cause", "/order_id"),
    "leaves a field out": ("del data['price']; return [data]", "missing-field", "/price"),
    "leaves a nested field out": ("del data['parts'][0]['at']; return [data]", "missing-field", "/parts/0/at"),
    "adds a declared field": ("return [data | {'urgent': True}]", "new-field", "/urgent"),
    "adds an undeclared field": ("return [data | {'bcc': 'x'}]", "undeclared-field", "/bcc"),
    "adds an undeclared nested field": ("data['parts'][1]['html'] = ''; return [data]", "undeclared-field", "/parts/1/html"),
    "adds an undeclared field on the wire": ("return [Wire(wire[:-1] + b',\"bcc\":1}', wire.key, wire.headers)]", "undeclared-field", "/bcc"),
    "sends to somebody else": ("return [mail.model_copy(update={'to': 'x@y'})]", "value-changed", "/to"),
    "rounds a price": ("return [data | {'price': 10}]", "value-changed", "/price"),
    "changes a number to a text": ("return [data | {'price': '9.99'}]", "type-changed", "/price"),
    "sends null for a masked text": ("return [data | {'cc': None}]", "type-changed", "/cc"),
    "changes a size": ("return [data | {'size': 's'}]", "value-changed", "/size"),
    "loses a part": ("return [data | {'parts': data['parts'][:1]}]", "length-changed", "/parts"),
    "loses all parts": ("return [data | {'parts': []}]", "length-changed", "/parts"),
    "swaps two fields": ("return [data | {'to': data['order_id'], 'order_id': data['to']}]", "value-changed", "/to"),
    "names another cause": ("return [data | {'order_id': 'o-7'}]", "value-changed", "/order_id"),
    "reorders parts": ("return [data | {'parts': data['parts'][::-1]}]", "value-changed", "/parts/0/text"),
    "breaks a pattern": ("return [MailRequested(**data | {'mail_id': 'x'})]", "contract-broken", "/mail_id"),
    "breaks a pattern in plain data": ("return [data | {'mail_id': 'x'}]", "contract-broken", "/mail_id"),
    "leaves a required field out": ("del data['to']; return [data]", "contract-broken", 'field "to"'),
    "sends a number as a text": ("return [data | {'to': 5}]", "contract-broken", "/to"),
    "sends a time that is none": ("return [data | {'asked_at': 'soon'}]", "contract-broken", "/asked_at"),
    "sends what is no JSON": ("return [Wire(b'{', wire.key, wire.headers)]", "contract-broken", ""),
    "sends a broken message": ("return [Wire(b'{}', wire.key, wire.headers)]", "contract-broken", ""),
    "sends an unknown value": ("return [data | {'size': 'xl'}]", "contract-broken", "/size"),
    "sends null where none may be": ("return [data | {'to': None}]", "contract-broken", "/to"),
    "sends another key": ("return [Wire(wire, b'o-7', wire.headers)]", "wrong-key", "key"),
    "sends no key": ("return [Wire(wire, None, wire.headers)]", "wrong-key", "key"),
    "sends an envelope with another key": ("return [Envelope(mail, key='x', extensions={'tracestate': 'x'})]", "wrong-key", "key"),
    "sends another content type": ("return [Wire(wire, wire.key, [(n, b'text/json' if n == 'content-type' else v) for n, v in wire.headers])]", "wrong-header", "content-type"),
    "loses a header": ("return [Wire(wire, wire.key, [h for h in wire.headers if h[0] != 'ce_tracestate'])]", "wrong-header", "ce_tracestate"),
    "calls itself by another name": ("return [encode(Envelope(mail, extensions={'tracestate': 'x'}), source='/web', catalog=CATALOG)]", "wrong-header", "source"),
    "loses an attribute": ("return [Envelope(mail)]", "wrong-header", "tracestate"),
    "sends another subject": ("return [MailRead(mail_id='mail-1')]", "wrong-subject", "mail.read"),
    "sends another subject on the wire": ("return [Wire(wire, wire.key, [(n, b'mail.read' if n == 'ce_type' else v) for n, v in wire.headers])]", "wrong-subject", "mail.read"),
    "sends what is no message": ("return [42]", "contract-broken", "a `int` given to `emits`"),
    "fails": ("raise RuntimeError('down')", "handler-failed", "RuntimeError"),
    "reads a field by another name": ("order.mail", "field-unknown", "/mail"),
}  # fmt: skip


@pytest.fixture(scope="module")
def producers(tmp_path_factory, warm_pytest):
    tests = [PRODUCER.format(number, code) for number, (code, _, _) in enumerate(PRODUCERS.values())]
    consumer = CONSUMER.format(0, "")
    shop = Shop(tmp_path_factory.mktemp("producers"), warm_pytest)
    return shop.run(*tests, consumer, options=["--contracts-only-recorded"])


@pytest.mark.parametrize("fault", PRODUCERS)
def test_a_broken_producer_is_caught(producers, fault):
    _, check, shown = PRODUCERS[fault]
    assert caught(producers[f"test_producer{list(PRODUCERS).index(fault)}"], check, shown)


CONSUMES = '@pytest.mark.consumes("order.placed")\ndef test_case{0}(message):\n    {1}\n'
PRODUCES = '@pytest.mark.produces("mail.requested", caused_by="order.placed")\ndef test_case{0}(cause, recorded, emits):\n    {1}\n'
HELPERS = """
from unittest.mock import AsyncMock, Mock

def drop(order):
    return None

def mail_of(order):
    return answer0(order)[0]
"""
TESTS = {
    # what a test, or the service behind it, does wrong: its code, the check that catches it, and what it shows
    "drops bytes": (CONSUMES, "drop(message.to_json())", "message-not-read", "reading cannot be watched"),
    "drops a dictionary": (CONSUMES, "drop(message.model_dump())", "message-not-read", "reading cannot be watched"),
    "drops a message": (CONSUMES, "drop(message)", "message-not-read", "nothing of the message was read"),
    "asks a mock": (CONSUMES, "handler = Mock(); handler(message); assert handler.call_args.args[0].order_id", "message-not-read", "to a mock"),
    "asks an asynchronous mock": (CONSUMES, "handler = AsyncMock(); handler(message); assert handler.call_args.args[0].order_id", "message-not-read", "to a mock"),
    "emits what was recorded": (PRODUCES, "emits(recorded)", "copy-emitted", "a copy of `recorded`"),
    "emits a copy": (PRODUCES, "emits(recorded.model_copy())", "copy-emitted", "a copy of `recorded`"),
    "emits it rebuilt": (PRODUCES, "emits(MailRequested(**recorded.model_dump()))", "copy-emitted", "a copy of `recorded`"),
    "emits in a consumer's test": (CONSUMES.replace("(message)", "(message, emits)"), "emits(message)", "cannot-replay", "this is a consumer's"),
    "takes the message in a producer's test": (PRODUCES.replace("(cause, ", "(message, "), "emits(message)", "cannot-replay", "this is a producer's"),
    "sends it elsewhere": (PRODUCES, "emits(mail_of(cause), channel='mals')", "wrong-channel", "mals"),
    "sends it to the channel of another": (PRODUCES, "emits(mail_of(cause), channel='orders')", "wrong-channel", "orders"),
    "sends another key beside it": (PRODUCES, "emits(mail_of(cause), key='o-7')", "wrong-key", "o-7"),
    "sends no key beside it": (PRODUCES, "emits(mail_of(cause), key=None)", "wrong-key", "key"),
    "sends no headers beside it": (PRODUCES, "emits(mail_of(cause), headers={})", "wrong-header", "ce_tracestate"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tests(tmp_path_factory, warm_pytest):
    """A run in which each test is wrong; a consumer and a producer that are right are among them."""
    cases = [form.format(number, code) for number, (form, code, _, _) in enumerate(TESTS.values())]
    shop = Shop(tmp_path_factory.mktemp("tests"), warm_pytest)
    right = [CONSUMER.format(0, ""), PRODUCER.format(0, "")]
    return shop.run(*right, HELPERS, *cases, options=["--contracts-only-recorded"])


@pytest.mark.parametrize("fault", TESTS)
def test_a_test_that_shows_nothing_or_something_wrong_is_caught(tests, fault):
    _, _, check, shown = TESTS[fault]
    assert caught(tests[f"test_case{list(TESTS).index(fault)}"], check, shown)


def test_a_producer_that_loses_one_of_two_is_caught(shop):
    shop.record("mail.requested", [mail(1), mail(1) | {"cc": "Abcabc"}], masked=["/cc"])
    found = shop.run(CONSUMER.format(0, ""), PRODUCER.format(0, ""), options=["--contracts-only-recorded"])
    assert caught(found["test_producer0"], "too-few-emitted", "")


ANOTHER = "return [mail, mail.model_copy(update={0})]"


@pytest.mark.parametrize(
    ("changes", "is_caught"),
    [({"mail_id": "mail-x", "to": "c@example.org"}, False), ({"mail_id": "mail-x", "urgent": True}, True)],
    ids=["as others", "as none"],
)
def test_more_than_was_recorded_is_caught_where_a_recording_would_have_kept_it(shop, changes, is_caught):
    test = PRODUCER.format(0, ANOTHER.format(changes))
    found = shop.run(CONSUMER.format(0, ""), test, options=["--contracts-only-recorded"])
    assert list(found) == (["test_producer0"] if is_caught else [])
    assert caught(found["test_producer0"], "too-many-emitted", "") == is_caught


def test_there_are_enough_of_them():
    assert len(CONSUMERS) + len(PRODUCERS) + len(TESTS) >= 80
