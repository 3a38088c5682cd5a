"""Services that take several messages at once, that send one message for several, or none."""

import json

import pytest

from .conftest import TEST_FILE, line, mail, order
from .test_false_greens import red

SERVICE = """
import pytest
from acme.messages import MailRequested

def take(orders):
    return {order.order_id: order.buyer.mail for order in orders}
def digest(orders):
    return {"mail_id": "mail-digest", "order_id": [order.order_id for order in orders], "to": orders[0].buyer.mail,
            "asked_at": "2030-01-01T00:00:00Z"}
def mail_of(order):
    return MailRequested(mail_id="mail-" + order.order_id, order_id=order.order_id, to=order.buyer.mail,
                         asked_at="2030-01-01T00:00:00Z")

"""
PRODUCER = '@pytest.mark.produces("mail.requested", caused_by="order.placed")\n'
CONSUMER = '@pytest.mark.consumes("order.placed")\ndef test_orders(message):\n    take([message])\n\n'


def batches(repo, body, batch=2):
    repo.tests(
        f"{SERVICE}{PRODUCER}def test_mails(cause, emits):\n    emits(mail_of(cause))\n\n"
        f'@pytest.mark.consumes("order.placed", batch={batch})\ndef test_orders(messages):\n    {body}\n'
    )


class TestABatch:
    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_holds_each_message_and_others_behind_it(self, repo, options):
        batches(repo, "assert len(messages) == 2 == len(take(messages)), messages")
        result = repo.run("--contracts-strict", *options)
        assert result.ret == 0
        result.stdout.re_match_lines([r"order.placed +v1 +consumes +3 .* 3 +0 +0$"])

    def test_is_as_long_as_there_are_messages(self, repo):
        batches(repo, "assert len(take(messages)) == 3", batch=10)
        assert repo.run().ret == 0

    def test_holds_variations_too(self, repo):
        batches(repo, "assert all('@' in each.buyer.mail for each in messages)\n    take(messages)")
        assert repo.run("--contracts-strict").ret == 0
        red(repo.run_varied("--contracts-generated=0"), "handler-failed")

    def test_without_a_size_it_holds_one_message(self, repo):
        batches(repo, "assert len(take(messages)) == 1", batch=1)
        assert repo.run("--contracts-strict").ret == 0

    @pytest.mark.parametrize("size", ["0", "'2'", "-1"])
    def test_of_no_size_is_no_batch(self, repo, size):
        batches(repo, "take(messages)", batch=size)
        red(repo.run(), "a marker `consumes` that is not understood")

    def test_that_the_service_drops(self, repo):
        batches(repo, "assert messages")
        red(repo.run(), "nothing of the message was read")


class TestSeveralCauses:
    @pytest.fixture
    def digests(self, repo):
        """A mail for several orders."""
        path = repo.contracts / "mail.requested" / "v1.json"
        schema = json.loads(path.read_text())
        schema["properties"]["order_id"] = {"type": "array", "items": {"type": "string"}}
        path.write_text(json.dumps(schema))
        sent = mail(0) | {"mail_id": "mail-digest", "order_id": ["o0", "o1"]}
        repo.record("mail.requested", [line("mail.requested", 1, sent)])
        repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(2)])
        repo.generate()
        return repo

    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_are_all_given(self, digests, options):
        digests.tests(f"{SERVICE}{CONSUMER}{PRODUCER}def test_mails(causes, emits):\n    emits(digest(causes))\n")
        result = digests.run(*options)
        assert result.ret == 0
        result.stdout.re_match_lines([r"mail.requested +v1 +produces +1 .* 1 +0 +0$"])

    def test_do_not_fit_one_cause(self, digests):
        digests.tests(f"{SERVICE}{CONSUMER}{PRODUCER}def test_mails(cause, emits):\n    emits(digest([cause]))\n")
        red(digests.run(), "2 messages caused this one, and the test asks for `cause`", "Ask for `causes`")

    def test_one_of_them_that_is_forgotten(self, digests):
        digests.tests(f"{SERVICE}{CONSUMER}{PRODUCER}def test_mails(causes, emits):\n    emits(digest(causes[:1]))\n")
        red(digests.run(), "length-changed")

    def test_one_of_them_that_is_not_recorded(self, digests):
        digests.record("order.placed", [line("order.placed", 1, order(0))])
        digests.tests(f"{SERVICE}{CONSUMER}{PRODUCER}def test_mails(causes, emits):\n    emits(digest(causes))\n")
        red(digests.run())

    def test_a_single_cause_is_a_list_of_one(self, repo):
        repo.tests(f"{SERVICE}{CONSUMER}{PRODUCER}def test_mails(causes, emits):\n    emits(mail_of(*causes))\n")
        assert repo.run().ret == 0


class TestACauseWithoutRecordedEffects:
    @pytest.fixture
    def unanswered(self, repo):
        repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(5)])
        return repo

    def test_is_replayed_and_new_traffic_is_told(self, unanswered):
        result = unanswered.run()
        assert result.ret == 0
        result.assert_outcomes(passed=10)
        result.stdout.fnmatch_lines(
            ["produces mail.requested v1: messages were emitted for 2 causes of which no effect is recorded.*"]
        )

    def test_has_no_faults_made_on_purpose(self, unanswered):
        assert unanswered.run("--contracts-mutate").ret == 0

    def test_for_which_nothing_is_sent_is_as_expected(self, unanswered):
        unanswered.change("for mail in handle(cause):", "for mail in handle(cause) if cause.order_id < 'o3' else []:")
        result = unanswered.run()
        assert result.ret == 0
        result.stdout.no_fnmatch_line("*of which no effect is recorded*")

    def test_on_which_the_service_fails(self, unanswered):
        unanswered.change(
            "def handle(order):", "def handle(order):\n    {'o0': 1, 'o1': 1, 'o2': 1, 'o3': 1}[order.order_id]"
        )
        red(unanswered.run("-k", "answered"), "mail.requested v1 produces: 1 of 5 messages, handler-failed")

    def test_for_which_something_broken_is_sent(self, unanswered):
        unanswered.change("        emits(mail)", "        emits(mail if cause.order_id < 'o3' else {'mail_id': 1})")
        red(unanswered.run("-k", "answered"), "mail.requested v1 produces: 2 of 5 messages, contract-broken")

    def test_of_a_subject_that_the_service_does_not_receive_is_not_replayed(self, unanswered):
        path = unanswered.contracts / "catalog.toml"
        path.write_text(path.read_text().replace('received_by = ["mailer"]', 'received_by = ["other"]'))
        unanswered.tests(TEST_FILE.replace('@pytest.mark.consumes("order.placed")', ""))
        unanswered.run("-k", "answered").assert_outcomes(passed=3, deselected=1)
