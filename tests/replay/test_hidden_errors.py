"""What a service does not let its test see: errors beside the test, and copies in the place of its own messages."""

import pytest

from .test_false_greens import red

SERVICE = """
import asyncio, logging, threading
from concurrent.futures import ThreadPoolExecutor
import pytest
from acme.messages import MailRequested

def broken(order):
    raise KeyError(order.order_id)
def logged(order):
    try: broken(order)
    except KeyError: logging.getLogger("svc").exception("not handled")
def warned(order):
    logging.getLogger("svc").error("no stock for %s", order.order_id)
def mail_of(order):
    return MailRequested(mail_id="mail-" + order.order_id, order_id=order.order_id, to=order.buyer.mail,
                         asked_at="2030-01-01T00:00:00Z")
def notify(mail):
    return [MailRequested(**mail)]

"""
PRODUCER = '@pytest.mark.produces("mail.requested", caused_by="order.placed")\ndef test_mails(cause, emits):\n    emits(mail_of(cause))\n'
CONSUMER = '@pytest.mark.consumes("order.placed")\ndef test_orders(message):\n    mail_of(message)\n'
THREAD = "thread = threading.Thread(target=broken, args=(message,)); thread.start(); thread.join()"
FUTURE = "with ThreadPoolExecutor(1) as pool: future = pool.submit(broken, message)"
TASK = "async def work(): broken(message)\n    task = asyncio.create_task(work())\n    await asyncio.sleep(0)"


def consumer(repo, body, marks="", fixtures="message", way=""):
    test = f'{marks}\n@pytest.mark.consumes("order.placed")\n{way}def test_orders({fixtures}):\n    {body}\n'
    repo.tests(SERVICE + PRODUCER + test)


def producer(repo, body, fixtures="recorded, emits", cause=""):
    test = f'@pytest.mark.produces("mail.requested"{cause})\ndef test_mails({fixtures}):\n    {body}\n'
    repo.tests(SERVICE + CONSUMER + test)


class TestAnErrorThatDoesNotReachTheTest:
    @pytest.mark.parametrize(
        ("body", "where"),
        [
            (THREAD, "KeyError in a thread"),
            (FUTURE, "KeyError in a future whose result nobody asked for"),
            ("logged(message)", "KeyError that was only logged"),
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_is_noted_and_red_where_the_run_is_strict(self, repo, body, where, options):
        consumer(repo, body)
        result = repo.run(*options)
        assert result.ret == 0
        noted = f"consumes order.placed v1: {where} did not reach the test, with 3 messages. Let the test see it."
        result.stdout.fnmatch_lines([f"{noted}*"])
        red(repo.run("--contracts-strict", *options), noted)

    def test_in_a_task(self, repo):
        consumer(repo, TASK, marks="@pytest.mark.asyncio", way="async ")
        red(repo.run("--contracts-strict"), "KeyError in a task that nobody awaited did not reach the test")

    @pytest.mark.parametrize(
        "body",
        [
            "warned(message)",
            "with ThreadPoolExecutor(1) as pool: future = pool.submit(broken, message)\n    assert future.exception()",
            "with ThreadPoolExecutor(1) as pool: future = pool.submit(broken, message)\n    with pytest.raises(KeyError): future.result()",
            "with pytest.raises(KeyError): broken(message)",
        ],
    )
    def test_what_the_test_saw_is_no_finding(self, repo, body):
        consumer(repo, body)
        assert repo.run("--contracts-strict").ret == 0

    @pytest.mark.parametrize(
        ("marks", "fixtures"), [("", "message, caplog"), ("@pytest.mark.contract_errors_expected", "message")]
    )
    def test_what_the_test_expects_is_no_finding(self, repo, marks, fixtures):
        consumer(repo, "logged(message)", marks, fixtures)
        assert repo.run("--contracts-strict").ret == 0

    def test_an_asyncio_executor_passes_its_error_on(self, repo):
        body = "loop = asyncio.get_running_loop()\n    with pytest.raises(KeyError): await loop.run_in_executor(None, broken, message)"
        consumer(repo, body, marks="@pytest.mark.asyncio", way="async ")
        assert repo.run("--contracts-strict").ret == 0


class TestACopyOfWhatWasRecorded:
    @pytest.mark.parametrize(
        "value",
        [
            "recorded", "recorded.model_copy()", "recorded.model_dump(mode='json', by_alias=True)",
            "MailRequested(**recorded.model_dump())", "MailRequested.from_json(recorded.to_json())",
            "__import__('copy').copy(recorded)",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("cause", ["", ', caused_by="order.placed"'])
    def test_is_red(self, repo, value, cause):
        producer(repo, f"emits({value})", cause=cause)
        red(repo.run(), "the test emitted a copy of `recorded`, and no code of the service ran")

    def test_is_red_in_bulk(self, repo):
        producer(repo, "emits(recorded)")
        red(repo.run("--contracts-bulk"), "copy-emitted")

    @pytest.mark.parametrize(
        "body",
        [
            "for mail in notify(recorded.model_dump()): emits(mail)",
            "emits({'mail_id': recorded.mail_id, 'order_id': recorded.order_id, 'to': recorded.to, 'asked_at': '2031-01-01T00:00:00Z'})",
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_what_the_service_sends_is_no_copy(self, repo, body, options):
        producer(repo, body)
        assert repo.run(*options).ret == 0

    def test_the_service_may_run_in_a_fixture(self, repo):
        repo.tests(
            SERVICE + CONSUMER + "@pytest.fixture\ndef sent(recorded):\n    return notify(recorded.model_dump())\n\n"
            '@pytest.mark.produces("mail.requested")\ndef test_mails(sent, emits):\n    for mail in sent: emits(mail)\n'
        )
        assert repo.run().ret == 0
