"""Reading is the service's reading: what only its tests read, or nobody, is never taken for it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from replay.service_code import write_apart

from contract_test.replay.field_access import FieldAccess, forget
from contract_test.replay.test_files import TestFiles
from envelopes.messages import MessagePosted

from .conftest import line, order
from .test_false_greens import red
from .test_readers import POSTED

SERVICE = """
import json
import pytest
from unittest.mock import AsyncMock, MagicMock, Mock, patch

class Shop:
    def __init__(self): self.mails = {}
    def drop(self, raw=None, **more): return None
    def take_json(self, raw):
        order = json.loads(raw)
        self.mails[order["order_id"]] = order["buyer"]["mail"]
    def take_event(self, raw): self.take_json(json.dumps(json.loads(raw)["data"]))
    def take(self, order): self.mails[order.order_id] = order.buyer.mail
    def keep(self, order): self.mails["one"] = order
    def put(self, key, value): self.mails[key] = value
    def put_all(self, pairs): self.mails.update(pairs)
    def put_one(self, order): self.put(order["order_id"], order["mail"])
    def put_order(self, order): self.put(order.key, order.value)
    async def put_later(self, key, value): self.put(key, value)
    def take_dict(self, order=None, **more):
        order = order or more
        self.mails[order["order_id"]] = order["buyer"]["mail"]

@pytest.fixture
def shop():
    return Shop()

@pytest.mark.produces("mail.requested", caused_by="order.placed")
def test_mails(cause, emits):
    emits({"mail_id": "mail-" + cause.order_id, "order_id": cause.order_id, "to": cause.buyer.mail,
           "asked_at": "2030-01-01T00:00:00Z"})

"""
VALUES = """
import asyncio, copy, dataclasses, queue, subprocess, sys, threading
from types import SimpleNamespace

@dataclasses.dataclass
class Order:
    key: str
    value: str

class Thread:
    \"""Takes messages in a thread of its own, which began before.\"""
    def __init__(self, shop, raw):
        self.jobs, self.done, self.raw = queue.Queue(), queue.Queue(), raw
        threading.Thread(target=lambda: self.done.put(shop.take_json(self.jobs.get())), daemon=True).start()
    def run(self):
        self.jobs.put(self.raw)
        self.done.get(timeout=60)

"""
STATE = "@pytest.fixture\ndef contract_state(shop):\n    return lambda: {0}\n\n"


def consumer(repo, body, marker="", fixtures="message, shop", before=""):
    test = f'@pytest.mark.consumes("order.placed"{marker})\ndef test_orders({fixtures}):\n    {body}\n'
    repo.tests(SERVICE + before + test)


def readers(repo):
    path = repo.pytester.path / ".contract-test/readers/mailer.json"
    found = json.loads(path.read_text())["readers"] if path.exists() else []
    return {field["pointer"]: (field["by_service"], field["by_test"]) for each in found for field in each["fields"]}


class TestAMessageInAnotherForm:
    @pytest.mark.parametrize(
        "form", ["message.to_json()", "message.model_dump()", "dict(message)", "message.model_dump_json()"]
    )
    def test_that_is_dropped(self, repo, form):
        consumer(repo, f"shop.drop({form})")
        red(repo.run(), "reading cannot be watched, because the test gives the service the message in another form")

    @pytest.mark.parametrize(("body", "is_red"), [("drop", True), ("take_event", False)])
    def test_as_the_envelope_that_was_received(self, repo, body, is_red):
        effect = "" if is_red else "\n    assert shop.mails == {envelope.data.order_id: envelope.data.buyer.mail}"
        before = "from acme import encode\n"
        consumer(repo, f"shop.{body}(encode(envelope)){effect}", fixtures="envelope, shop", before=before)
        result = repo.run()
        assert result.ret == (1 if is_red else 0)
        result.stdout.fnmatch_lines(["*reading cannot be watched*"])

    def test_whose_effect_is_not_looked_at(self, repo):
        consumer(repo, "shop.take_json(message.to_json())")
        red(repo.run(), "no effect shows that it is read", "write reads_elsewhere=True into the marker")

    def test_whose_effect_the_test_asserts(self, repo):
        consumer(
            repo, "shop.take_json(message.to_json())\n    assert shop.mails == {message.order_id: message.buyer.mail}"
        )
        result = repo.run("--contracts-strict")
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            ["consumes order.placed v1: reading cannot be watched in 3 messages (tests fail with other messages)*"]
        )
        assert readers(repo) == {"/order_id": (3, 0), "/buyer": (3, 0), "/buyer/mail": (3, 0)} or not readers(repo)

    def test_that_changes_the_state(self, repo):
        consumer(
            repo,
            "shop.take_json(message.to_json())",
            fixtures="message, shop, contract_state",
            before=STATE.format("shop.mails"),
        )
        result = repo.run("--contracts-strict")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*reading cannot be watched in 3 messages (the state changed)*"])

    def test_that_does_not_change_the_state(self, repo):
        consumer(
            repo, "shop.drop(message.to_json())", fixtures="message, shop, contract_state", before=STATE.format("{}")
        )
        red(repo.run(), "no effect shows that it is read")
        result = repo.run("--contracts-mutate", "--contracts-min-strength=100")
        result.stdout.no_re_match_line(r".* of [1-9]\d* +0 +3")

    def test_that_the_service_reads_where_no_test_can_see_it(self, repo):
        consumer(repo, "shop.drop(message.to_json())", marker=", reads_elsewhere=True")
        result = repo.run("--contracts-strict")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*reading cannot be watched in 3 messages (the marker says reads_elsewhere)*"])

    def test_in_bulk(self, repo):
        consumer(repo, "shop.drop(message.to_json())")
        red(repo.run("--contracts-bulk"), "message-not-read", "reading cannot be watched")
        consumer(repo, "shop.drop(message.to_json())", marker=", reads_elsewhere=True")
        assert repo.run("--contracts-bulk").ret == 0


class TestAMockInThePlaceOfTheService:
    @pytest.mark.parametrize("mock", ["Mock()", "MagicMock()", "Mock(spec=shop.take)", "Mock().handle"])
    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_reads_nothing(self, repo, mock, options):
        consumer(
            repo,
            f"handler = {mock}\n    handler(message)\n    assert handler.call_args.args[0].order_id == message.order_id",
        )
        red(repo.run(*options), "the test gave the message to a mock, and no code of the service read it")

    def test_beside_the_service_is_no_matter(self, repo):
        consumer(repo, "log = Mock()\n    log(message)\n    shop.take(message)")
        assert repo.run("--contracts-strict").ret == 0

    def test_that_compares_what_it_was_called_with(self, repo):
        consumer(repo, "handler = Mock()\n    handler(message)\n    handler.assert_called_once_with(message)")
        red(repo.run(), "the test gave the message to a mock")


class TestOnlyATestReads:
    def test_a_field_is_noted_and_red_where_the_run_is_strict(self, repo):
        consumer(repo, "assert message.order_id")
        result = repo.run()
        assert result.ret == 0
        noted = "consumes order.placed v1: only tests read 3 messages of 3, and no code of the service."
        result.stdout.fnmatch_lines([f"{noted}*"])
        red(repo.run("--contracts-strict"), noted)

    @pytest.mark.parametrize(
        "body",
        [
            "assert message == message",
            "assert message.order_id == message.order_id",
            "assert message.buyer == message.buyer",
            "assert hash(message) == hash(message)",
            "assert repr(message) == str(repr(message))",
            "assert str(message)",
            "shop.keep(message)\n    assert shop.mails['one'] == message",
            "seen = []\n    seen.append(message)\n    assert seen[0].order_id == message.order_id",
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_to_compare_the_message_with_itself_is_red(self, repo, body, options):
        consumer(repo, body)
        red(repo.run(*options), "consumes order.placed v1: ", " 3 messages of 3", "read them. Give ")

    def test_of_many_messages_that_the_service_drops_only_now_and_then(self, repo):
        """No code of the service runs with the first messages, so not every other one is tried: enough of them are."""
        repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(20)])
        consumer(repo, "if int(message.order_id[1:]) > 5:\n        shop.drop(None)\n    assert message.order_id")
        red(repo.run(), "consumes order.placed v1: code of the service ran with ", " and nothing shows")

    def test_one_value_twice_in_a_loop_is_no_comparison(self, repo):
        consumer(repo, "assert all(message.order_id for _ in range(3))")
        assert repo.run().ret == 0

    def test_another_test_may_reach_the_service(self, repo):
        consumer(
            repo,
            "assert message.order_id\n\n@pytest.mark.consumes('order.placed')\ndef test_more(message, shop):\n    shop.take(message)",
        )
        assert repo.run("--contracts-strict").ret == 0

    @pytest.mark.parametrize(
        ("before", "reading"),
        [
            ("@patch('json.loads', lambda raw: 1)\n", "message.buyer.mail"),
            ("def check(message): return message.buyer.mail\n", "check(message)"),
            ("class Helper:\n    def read(self, message): return message.buyer.mail\n", "Helper().read(message)"),
            ("from conftest import check\n", "check(message)"),
            ("from tests.helpers import check\n", "check(message)"),
        ],
    )
    def test_decorated_or_through_a_helper(self, repo, before, reading):
        helper = "def check(message): return message.buyer.mail\n"
        (repo.pytester.path / "conftest.py").write_text(helper)
        (repo.pytester.path / "tests").mkdir()
        (repo.pytester.path / "tests" / "helpers.py").write_text(helper)
        write_apart(repo.pytester.path / "test_mailer.py", SERVICE, "mailer")
        path = repo.pytester.path / "test_mailer.py"
        test = (
            f'{before}@pytest.mark.consumes("order.placed")\ndef test_orders(message):\n    from mailer import Shop\n'
        )
        path.write_text(
            f"{path.read_text()}\n{test}    Shop().mails[message.order_id] = 1\n    assert {reading}\n    Shop().take_id(message)\n"
        )
        service = repo.pytester.path / "mailer.py"
        service.write_text(service.read_text() + "    def take_id(self, order): self.mails[order.order_id] = 1\n")
        assert repo.run().ret == 0
        assert readers(repo) == {"/order_id": (3, 0), "/buyer": (0, 3), "/buyer/mail": (0, 3)}


class TestSingleValues:
    """A test gives the service values of the message, and not the message: they have to make a difference."""

    @pytest.mark.parametrize(
        "call",
        [
            "shop.put(message.order_id, message.buyer.mail)",
            "shop.put(key=message.order_id, value=message.buyer.mail)",
            "shop.put_all([(message.order_id, message.buyer.mail)])",
            "shop.put_one({'order_id': message.order_id, 'mail': message.buyer.mail})",
            "shop.put_order(Order(message.order_id, message.buyer.mail))",
            "shop.put_order(SimpleNamespace(key=message.order_id, value=message.buyer.mail))",
            "asyncio.run(shop.put_later(message.order_id, message.buyer.mail))",
            "asyncio.run(asyncio.to_thread(shop.put, message.order_id, message.buyer.mail))",
        ],
    )
    def test_that_the_test_finds_again(self, repo, call):
        consumer(repo, f"{call}\n    assert shop.mails == {{message.order_id: message.buyer.mail}}", before=VALUES)
        result = repo.run("--contracts-strict")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*reading cannot be watched in 3 messages (tests fail with other messages)*"])

    @pytest.mark.parametrize(
        "body",
        [
            "shop.drop(message.order_id)",
            "shop.drop(message.order_id)\n    assert message.order_id == message.order_id",
            "key = message.order_id\n    shop.drop(key)\n    assert key == message.order_id",
            "shop.drop(message)\n    assert message.order_id",
            "shop.drop(None)\n    assert message.order_id",
        ],
    )
    def test_that_the_service_drops(self, repo, body):
        consumer(repo, body)
        red(repo.run(), "consumes order.placed v1: code of the service ran with 3 messages of 3, and nothing shows")

    def test_that_the_test_finds_in_state_that_earlier_tests_left(self, repo):
        consumer(
            repo,
            "KEPT.put(message.order_id, message.buyer.mail)\n    assert KEPT.mails[message.order_id] == message.buyer.mail",
            before="KEPT = Shop()\n",
        )
        result = repo.run("--contracts-strict")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*reading cannot be watched in 3 messages (tests fail with other messages)*"])

    def test_whose_effect_cannot_be_seen(self, repo):
        consumer(repo, "shop.drop(message.order_id)", marker=", reads_elsewhere=True")
        assert repo.run("--contracts-strict").ret == 0


class TestAMessageInAnotherFormThatIsDropped:
    """Although the test fails with another message: it compares what it has with the message, and not the service."""

    @pytest.mark.parametrize(
        "body",
        [
            "assert message == message.model_copy()",
            "assert message == copy.deepcopy(message)",
            "assert json.loads(message.to_json())['order_id'] == message.order_id",
            "assert json.loads(json.dumps(message.model_dump()))['order_id'] == message.order_id",
            "raw = message.to_json()\n    shop.drop(raw)\n    assert json.loads(raw)['order_id'] == message.order_id",
            "seen = dict(message)\n    shop.drop(seen)\n    assert seen['order_id'] == message.order_id",
            "seen = {'value': message.to_json()}\n    shop.drop(seen)\n    assert message.to_json() == seen['value']",
            "seen = json.loads(message.to_json())\n    shop.drop(**seen)\n    assert seen['order_id'] == message.order_id",
        ],
    )
    def test_is_red(self, repo, body):
        consumer(repo, body, before=VALUES)
        red(repo.run(), "reading cannot be watched, because the test gives the service the message in another form")

    def test_is_red_although_an_installed_package_replaced_import(self, repo):
        with TemporaryDirectory(prefix="site-packages-") as folder:  # no part of its path begins with "pytest"
            Path(folder, "hooks.py").write_text(
                "import builtins\noriginal = builtins.__import__\n"
                "def __import__(*arguments, **named): return original(*arguments, **named)\n"
                "builtins.__import__ = __import__\n"
            )
            conftest = f"import sys; sys.path.insert(0, {folder!r}); import hooks\n"
            (repo.pytester.path / "conftest.py").write_text(conftest)
            consumer(repo, "import json\n    assert message == message.model_copy()")
            red(repo.run(), "reading cannot be watched, because the test gives the service the message in another form")

    @pytest.mark.parametrize(
        "call",
        [
            "shop.take_json(message.to_json())",
            "shop.take_json(message.to_json().decode())",
            "shop.take_dict(message.model_dump())",
            "shop.take_dict(json.loads(message.to_json()))",
            "shop.take_dict(**json.loads(message.to_json()))",
            "Thread(shop, message.to_json()).run()",
        ],
    )
    def test_is_green_where_it_is_read(self, repo, call):
        consumer(repo, f"{call}\n    assert shop.mails == {{message.order_id: message.buyer.mail}}", before=VALUES)
        result = repo.run("--contracts-strict")
        assert result.ret == 0, result.outlines
        result.stdout.fnmatch_lines(["*reading cannot be watched in 3 messages (tests fail with other messages)*"])

    def test_is_green_where_another_process_reads_it(self, repo):
        program = "import json, sys; print(json.load(sys.stdin)['order_id'])"
        consumer(
            repo,
            f'found = subprocess.run([sys.executable, "-c", "{program}"], input=message.to_json(), capture_output=True)\n'
            "    assert found.stdout.decode().strip() == message.order_id",
            before=VALUES,
        )
        assert repo.run("--contracts-strict").ret == 0


class TestFilesOfTests:
    @pytest.fixture
    def posted(self):
        yield MessagePosted.from_value(POSTED)
        forget()

    @pytest.mark.parametrize(
        ("file", "is_test"),
        [
            ("/repo/test_a.py", True),
            ("/repo/svc.py", False),
            ("/repo/conftest.py", True),
            ("/repo/src/svc/conftest.py", True),
            ("/repo/tests/helpers/wires.py", True),
            ("/repo/src/svc/test/fakes.py", True),
            ("/repo/src/contest/svc.py", False),
            ("/elsewhere/tests/svc.py", False),
            ("/repo/.venv/lib/python3.12/site-packages/svc/tests/handlers.py", False),
            ("/tmp/pytest-of-kim/.venv/lib/python3.12/site-packages/svc/handlers.py", False),
        ],
    )
    def test_are_told_by_their_place(self, posted, file, is_test):
        watch = FieldAccess(TestFiles("/repo", ["/repo/test_a.py"]))
        eval(compile("message.text", file, "eval"), {"message": watch.over(posted)})
        assert (watch.by_test, watch.by_service) == (({"/text"}, set()) if is_test else (set(), {"/text"}))

    @pytest.mark.parametrize(
        "library",
        [
            "operator.attrgetter('text')(message)",
            "copy.copy(message)",
        ],
    )
    @pytest.mark.parametrize("file", ["/repo/test_a.py", "/repo/svc.py"])
    def test_a_library_reads_for_whoever_calls_it(self, posted, library, file):
        import copy
        import operator

        watch = FieldAccess(TestFiles("/repo", ["/repo/test_a.py"]))
        names = {"message": watch.over(posted), "operator": operator, "copy": copy}
        eval(compile(library, file, "eval"), names)
        assert bool(watch.by_test) == (file == "/repo/test_a.py")
        assert bool(watch.by_service) == (file == "/repo/svc.py")
