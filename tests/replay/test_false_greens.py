"""What proves nothing is red, and says what to do: a test for every way in which a run could be green by mistake."""

import json

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register
from contract_test.generate.package import generate

from .conftest import CATALOG, ORDER, TEST_FILE, line, order

CONSUMER = """
import pytest

@pytest.mark.consumes("order.placed")
{body}
"""
SETTINGS = 'service = "mailer"\npackage = "acme"\ncontracts = "contracts"'


def only_consumer(repo, body: str, *options: str) -> pytest.RunResult:
    repo.tests(CONSUMER.format(body=body))
    return repo.run("-k", "order", *options)


def red(result: pytest.RunResult, *expected: str) -> None:
    assert result.ret not in (0, pytest.ExitCode.INTERNAL_ERROR)
    lines = result.outlines + result.errlines
    for text in expected:
        assert any(text in each for each in lines), f"missing: {text}\n" + "\n".join(lines[-30:])


@pytest.mark.parametrize(
    "call", ["handle(message)", "return handle(message)", "asyncio.gather", "task = handle(message)"]
)
def test_an_async_handler_that_nobody_awaits(repo, call):
    if call == "asyncio.gather":
        call = "[handle(each) for each in [message]]"
    body = f"import asyncio\nasync def handle(message):\n    raise ValueError\n\n{CONSUMER.format(body='')}"
    repo.tests(f"{body}def test_order(message):\n    {call}\n")
    result = repo.run("-k", "test_order", "-W", "ignore")
    result.assert_outcomes(failed=3)
    red(result, *(["`handle` was called and never awaited", "await it"] if "return" not in call else ["async"]))


def test_an_async_test_that_nobody_awaits(repo):
    result = only_consumer(repo, "async def test_order(message):\n    raise ValueError", "-p", "no:anyio")
    result.assert_outcomes(failed=3)
    red(result, "if nothing awaited this test: await it; an `async def` test needs pytest-asyncio or anyio")


def test_a_contracts_directory_with_nothing_in_it(repo):
    (repo.pytester.path / "empty").mkdir()
    red(repo.run("--contracts-dir=empty"), "empty: no contracts found", "`contract-test init` writes a first one")


def test_a_service_name_that_matches_nothing(repo):
    repo.settings(SETTINGS.replace("mailer", "Mailer"))
    red(
        repo.run(),
        "no subject is sent or received by service 'Mailer' (known: mailer, postman, shop)",
        "Correct `service`",
    )


def test_a_fixture_that_nobody_wrote(repo):
    result = only_consumer(repo, "def test_order(message, a_shop_with_stock):\n    pass")
    result.assert_outcomes(errors=3)
    red(result, "fixture 'a_shop_with_stock' not found")


def test_a_fixture_that_gives_one_message_for_all(repo):
    repo.tests(
        f"KEPT = []\n{TEST_FILE}\n@pytest.fixture\ndef contract_case(contract_case):\n"
        "    KEPT.append(contract_case)\n    return KEPT[0]\n"
    )
    result = repo.run()
    result.assert_outcomes(passed=1, failed=2, errors=3)
    red(result, "another fixture named `contract_case` gives this test a message that is not its own")


@pytest.mark.parametrize("options", [(), ("-n", "2"), (".",), ("-m", "contract")])
def test_an_operation_without_a_test(repo, options):
    repo.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
    red(repo.run(*options), "no test for an operation of this service: produces mail.requested; mark one with @pytest")


def test_a_part_of_the_tests_need_not_cover_every_operation(repo):
    repo.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
    assert repo.run("test_mailer.py").ret == 0
    assert repo.run("-k", "read").ret == 0


def test_no_contract_test_at_all(repo):
    repo.tests("def test_other():\n    pass\n")
    red(repo.run("test_mailer.py"), "no contract test was selected for mailer: nothing is proved")
    red(repo.run("-n", "2"), "no test for an operation of this service: consumes order.placed")


def test_tests_that_are_all_skipped(repo):
    repo.change("    assert handle(message)", '    pytest.skip("later")')
    expected = "consumes order.placed: every test was skipped, so nothing is proved"
    red(repo.run(), expected)
    red(repo.run("-n", "2"), expected)


def test_a_parametrization_with_nothing_in_it(repo):
    result = only_consumer(repo, '@pytest.mark.parametrize("size", [])\ndef test_order(message, size):\n    pass')
    red(result, "consumes order.placed: every test was skipped, so nothing is proved")


@pytest.mark.parametrize(
    "marker",
    ["consumes", "consumes()", "consumes(1)", 'consumes("order.placed", "more")', 'consumes("order.placed", by="x")'],
)
def test_a_marker_that_is_not_understood(repo, marker):
    repo.change('consumes("order.placed")', marker)
    red(repo.run("-k", "read"), 'Write @pytest.mark.consumes("subject"), and if needed only="recorded"')


def test_a_marker_with_an_unknown_subject(repo):
    repo.change('consumes("order.placed")', 'consumes("order.paid")')
    red(repo.run("-k", "read"), "no subject 'order.paid' in the catalog", "Known: order.placed, mail.requested.")


def test_an_operation_that_the_catalog_gives_to_others(repo):
    repo.change('consumes("order.placed")', 'consumes("mail.requested")')
    red(
        repo.run("-k", "read"),
        "the catalog does not say that mailer consumes mail.requested",
        'mark the test @pytest.mark.produces("mail.requested"). Or: Add "mailer" to received_by',
    )


def test_two_markers_on_one_test_are_both_replayed(repo):
    repo.change(
        '@pytest.mark.consumes("order.placed")', '@pytest.mark.consumes("order.placed")\n@pytest.mark.consumes("a.b")'
    )
    result = repo.run("-k", "read")
    result.assert_outcomes(passed=3, errors=1, deselected=3)


def test_a_method_of_a_unittest_case(repo):
    text = "import unittest\nclass TestOrders(unittest.TestCase):\n    @pytest.mark.consumes('order.placed')\n"
    repo.tests(f"import pytest\n{text}    def test_order(self):\n        pass\n")
    red(repo.run(), "TestOrders::test_order: a method of a unittest.TestCase cannot be given recorded messages")


@pytest.mark.parametrize("lines", [[], ["\n", "\n"]])
def test_a_recording_with_nothing_in_it(repo, lines):
    repo.record("order.placed", lines)
    red(
        repo.run("-k", "read"),
        "no recorded message of order.placed",
        "Record some: contract-test record URL --channel orders.",
    )


def test_a_package_that_is_older_than_the_lock(repo):
    schema = ORDER | {"required": ["order_id"]}
    (repo.contracts / "order.placed" / "v2.json").write_text(json.dumps(schema))
    register(load_catalog(repo.contracts), [])
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    red(
        result,
        "order.placed v2 is not in the package 'acme': the package is older than contracts.lock",
        "Install the version",
    )
    generate(load_catalog(repo.contracts), "acme", repo.pytester.path)
    repo.run().assert_outcomes(passed=6)


def test_a_package_of_another_schema(repo):
    (repo.contracts / "order.placed" / "v1.json").write_text(json.dumps(ORDER | {"required": ["order_id"]}))
    red(repo.run(), "order.placed v1 is another schema in the package 'acme'", "or run contract-test generate")


def test_a_registered_version_that_changed_although_package_and_contracts_agree(repo):
    register(load_catalog(repo.contracts), [])
    repo.run().assert_outcomes(passed=6)
    (repo.contracts / "order.placed" / "v1.json").write_text(json.dumps(ORDER | {"required": ["order_id"]}))
    repo.generate()
    red(repo.run(), "v1.json: a registered version changed", "take the change back", "install the package again")


def test_a_registered_version_that_is_gone(repo):
    path = repo.contracts / "order.placed" / "v2.json"
    path.write_text(json.dumps(ORDER | {"required": ["order_id"]}))
    register(load_catalog(repo.contracts), [])
    path.unlink()
    repo.generate()
    red(repo.run(), "v2.json: a registered version is not there")


def test_a_package_that_says_something_else_of_a_subject(repo):
    catalog = repo.contracts / "catalog.toml"
    catalog.write_text(catalog.read_text().replace('"/order_id"\nsent_by', '"/buyer/mail"\nsent_by', 1))
    red(repo.run(), "order.placed: id is '/buyer/mail' here, and '/order_id' in 'acme'", "Install the version of acme")
    catalog.write_text(CATALOG.replace('codec = "cloudevents"', 'codec = "json"', 1))
    red(repo.run(), "order.placed: the codec of its channel is 'json' here, and 'cloudevents' in 'acme'")


def test_contracts_that_are_older_than_the_package(repo):
    path = repo.contracts / "order.placed" / "v2.json"
    path.write_text(json.dumps(ORDER | {"required": ["order_id"]}))
    repo.generate()
    path.unlink()
    red(repo.run(), "order.placed: the newest version is 1 here, and 2 in 'acme'")


def test_allow_empty_is_the_way_out_and_is_seen(repo):
    repo.record("order.placed", []).unlink()
    repo.record("mail.requested", []).unlink()
    repo.settings(f'{SETTINGS}\nallow_empty = ["order.placed", "mail.requested"]')
    repo.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
    result = repo.run()
    assert result.ret == 0
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["order.placed: allow_empty, so nothing is asked of it"])


def test_allow_empty_that_is_not_needed_any_more_is_said(repo):
    repo.settings(f'{SETTINGS}\nallow_empty = ["order.placed"]')
    result = repo.run()
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["order.placed: allow_empty, but messages are recorded; take it out of allow_empty"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [('["order.paid"]', "allow_empty names 'order.paid', no subject of mailer"), ("true", "It takes a list of texts.")],
)
def test_allow_empty_that_means_nothing(repo, written, expected):
    repo.settings(f"{SETTINGS}\nallow_empty = {written}")
    red(repo.run(), expected)


def test_only_messages_that_were_kept_apart(repo):
    repo.record("order.placed", []).unlink()
    path = repo.contracts / ".recorder" / "orders.quarantine.jsonl"
    path.parent.mkdir()
    row = {"format": 1, "channel": "orders", "reasons": [["order.placed v1", "/buyer", "type", "null"]], "payload": {}}
    path.write_text(json.dumps(row) + "\n")
    result = repo.run("-k", "read")
    red(
        result,
        "orders.quarantine.jsonl: no recorded message of order.placed, only some in the quarantine (order.placed v1",
        "/buyer: type)",
        "Fix the producer, or write a version that allows them. Record some: contract-test record URL",
    )
    path.write_text(path.read_text().replace("order.placed", "mail.requested"))
    red(repo.run("-k", "read"), "recordings: no recorded message of order.placed")


SWALLOWING = """
from envelopes import DecodeError
from acme.messages import OrderPlaced

class Shop:
    def __init__(self):
        self.orders = []

    def handle(self, raw):
        try:
            self.orders.append(OrderPlaced.from_json(DECODED))
        except DecodeError:
            return
        {read}

{marker}
def test_order(message):
    Shop().handle(message.to_json())
"""


@pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
@pytest.mark.parametrize(
    ("decoded", "failed"), [("raw[:-1]", True), ('raw.replace(b"buyer", b"purchaser")', True), ("raw", False)]
)
def test_a_decode_error_that_is_swallowed(repo, decoded, failed, options):
    text = SWALLOWING.replace("DECODED", decoded).format(
        read="assert self.orders[0].buyer.mail", marker='@pytest.mark.consumes("order.placed")'
    )
    repo.tests(f"import pytest\n{text}")
    result = repo.run("-k", "test_order", *options)
    count = 1 if options else 3
    result.assert_outcomes(**{"failed" if failed else "passed": count})
    if failed:
        red(result, "the message could not be decoded, and the test passed all the same: order.placed v1 at ")
        red(result, "Mend what does not decode a legal message; and let the test see", "message-not-read")


@pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
@pytest.mark.parametrize("arguments", ["message", "envelope", "contract_case"])
def test_a_message_that_nobody_looks_at(repo, arguments, options):
    result = only_consumer(repo, f"def test_order({arguments}):\n    pass", *options)
    result.assert_outcomes(failed=1 if options else 3)
    red(result, "the test passed, and nothing of the message was read", "Give `message` to the code that handles it")


def test_of_an_empty_message_nothing_can_be_read(repo):
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    (repo.contracts / "order.placed" / "v1.json").write_text(json.dumps(schema))
    repo.record("order.placed", [line("order.placed", 1, {}).replace('"id": null', '"id": "o1"')])
    repo.generate()
    only_consumer(repo, "def test_order(message):\n    pass").assert_outcomes(passed=1)


def test_a_value_of_an_enum_that_was_never_recorded(repo):
    mood = {"type": "string", "enum": ["calm", "urgent", "gift"]}
    schema = ORDER | {"required": [*ORDER["required"], "mood"], "properties": ORDER["properties"] | {"mood": mood}}
    (repo.contracts / "order.placed" / "v1.json").write_text(json.dumps(schema))
    repo.record("order.placed", [line("order.placed", 1, order(n) | {"mood": "calm"}) for n in range(3)])
    repo.generate()
    repo.change("    assert handle(message)", '    assert {"calm": 1, "urgent": 2}[message.mood]')
    repo.run("-k", "read").assert_outcomes(passed=3, deselected=3)
    result = repo.run_varied("-k", "read", "--contracts-generated=0")  # a generated message may have it or not
    red(result, "KeyError: 'gift'", "order.placed v1 consumes: 1 of 11 messages, handler-failed")


def test_a_field_that_was_added_to_the_bytes_and_is_not_declared(repo):
    repo.change("        emits(mail)", "        emits(in_bytes(mail))")
    path = repo.pytester.path / "test_mailer.py"
    in_bytes = """
from acme.messages import CATALOG
from envelopes import Wire, encode

def in_bytes(mail):
    wire = encode(mail, source="/s", catalog=CATALOG)
    return Wire(bytes(wire).replace(b'"to":', b'"cc":"x@example.org","to":'), wire.key, wire.headers)
"""
    path.write_text(in_bytes + path.read_text())
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    red(result, "/cc: expected no field that mail.requested v1 does not declare", "check      undeclared-field")
    path.write_text(path.read_text().replace('"cc":"x@example.org",', ""))
    repo.run("-k", "answered").assert_outcomes(passed=3, deselected=3)


def test_a_recording_that_matches_no_version(repo):
    repo.record("order.placed", [line("order.placed", 1, order(1) | {"buyer": None})])
    red(repo.run("-k", "read"), "v1.jsonl:1: the recorded message breaks its contract")


@pytest.mark.parametrize("rule", [True, {}])
def test_a_field_that_is_not_declared_where_additional_properties_is_true(repo, rule):
    path = repo.contracts / "mail.requested" / "v1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"additionalProperties": rule}))
    repo.generate()
    repo.change("        emits(mail)", "        emits({**json.loads(mail.to_json()), 'cc': 'x@example.org'})")
    test = repo.pytester.path / "test_mailer.py"
    test.write_text("import json\n" + test.read_text())
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    red(result, "/cc: expected no field that mail.requested v1 does not declare", "check      undeclared-field")
    catalog = repo.contracts / "catalog.toml"
    table = '[subjects."mail.requested"]\n'
    assert table in catalog.read_text()
    catalog.write_text(catalog.read_text().replace(table, table + 'sends_undeclared = ["mailer"]\n'))
    repo.generate()
    result = repo.run("-k", "answered")
    assert "undeclared-field" not in result.stdout.str()
