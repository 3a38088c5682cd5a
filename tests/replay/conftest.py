"""A small service repo in a temporary folder, with contracts and recordings of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from replay.service_code import write_apart
from replay.warm import WarmPytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

CATALOG = """
[channels.orders]
protocol = "kafka"
address = "orders"
codec = "cloudevents"

[channels.mails]
protocol = "redis-list"
address = "mails"
codec = "cloudevents"

[subjects."order.placed"]
channel = "orders"
id = "/order_id"
sent_by = ["shop"]
received_by = ["mailer"]

[subjects."mail.requested"]
channel = "mails"
id = "/mail_id"
caused_by = "/order_id"
volatile = ["/asked_at"]
sent_by = ["mailer"]
received_by = ["postman"]
"""
ORDER = {
    "type": "object",
    "required": ["order_id", "buyer"],
    "properties": {
        "order_id": {"type": "string"},
        "buyer": {"type": "object", "required": ["mail"], "properties": {"mail": {"type": "string"}}},
        "note": {"type": "string"},
    },
}
MAIL = {
    "type": "object",
    "required": ["mail_id", "order_id", "to", "asked_at"],
    "properties": {
        "mail_id": {"type": "string"},
        "order_id": {"type": "string"},
        "to": {"type": "string"},
        "asked_at": {"type": "string", "format": "date-time"},
    },
}
TEST_FILE = """
import pytest
from acme.messages import MailRequested

def handle(order):
    return [MailRequested(mail_id="mail-" + order.order_id, order_id=order.order_id, to=order.buyer.mail,
                          asked_at="2030-01-01T00:00:00Z")]

@pytest.mark.consumes("order.placed")
def test_orders_are_read(message):
    assert handle(message)

@pytest.mark.produces("mail.requested", caused_by="order.placed")
def test_orders_are_answered(cause, emits):
    for mail in handle(cause):
        emits(mail)
"""


def line(subject: str, version: int, data: dict, masked=()) -> str:
    event = {"specversion": "1.0", "id": data.get("mail_id", data.get("order_id")), "source": "/s", "type": subject}
    channel = "orders" if subject == "order.placed" else "mails"
    fields = {"channel": channel, "format": 1, "masked": list(masked), "version": version, "subject": subject}
    return json.dumps(fields | {"payload": event | {"data": data}}) + "\n"


def order(number: int) -> dict:
    return {"order_id": f"o{number}", "buyer": {"mail": f"b{number}@example.org"}}


def mail(number: int, **changes: str) -> dict:
    sent = {"mail_id": f"mail-o{number}", "order_id": f"o{number}", "to": f"b{number}@example.org"}
    return sent | {"asked_at": "2026-01-01T00:00:00Z"} | changes


class Repo:
    """The service `mailer`, and the contracts that it shares with others."""

    def __init__(self, pytester: pytest.Pytester, warm_pytest: WarmPytest) -> None:
        self.pytester = pytester
        self._warm_pytest = warm_pytest
        self.contracts = pytester.path / "contracts"
        (self.contracts).mkdir()
        (self.contracts / "catalog.toml").write_text(CATALOG)
        for subject, schema in (("order.placed", ORDER), ("mail.requested", MAIL)):
            (self.contracts / subject / "recordings").mkdir(parents=True)
            (self.contracts / subject / "v1.json").write_text(json.dumps(schema))
        self.record("order.placed", [line("order.placed", 1, order(number)) for number in range(3)])
        self.record("mail.requested", [line("mail.requested", 1, mail(number)) for number in range(3)])
        self.generate()
        pytester.syspathinsert()
        self.settings('service = "mailer"\npackage = "acme"\ncontracts = "contracts"')
        self.tests(TEST_FILE)

    def generate(self) -> None:
        generate(load_catalog(self.contracts), "acme", self.pytester.path)

    def settings(self, text: str) -> None:
        self.pytester.makepyprojecttoml(f"[tool.contract-test]\n{text}\n\n[tool.pytest.ini_options]\n")

    def tests(self, text: str) -> None:
        """Write tests. What is no test in the same text is the code of the service, in a file of its own."""
        write_apart(self.pytester.path / "test_mailer.py", text, "mailer")

    def change(self, old: str, new: str) -> None:
        assert old in TEST_FILE
        self.tests(TEST_FILE.replace(old, new))

    def record(self, subject: str, lines: list[str]) -> Path:
        path = self.contracts / subject / "recordings" / "v1.jsonl"
        path.write_text("".join(lines))
        return path

    def run(self, *options: str) -> pytest.RunResult:
        """Replay what was recorded, and nothing else."""
        return self.run_varied("--contracts-only-recorded", *options)

    def run_varied(self, *options: str) -> pytest.RunResult:
        options = ("--contracts", "-p", "no:cacheprovider", *options)
        if "-n" in options:  # xdist keeps for its workers the import path of a process's start
            return self.pytester.runpytest_subprocess(*options)
        return self._warm_pytest.run(self.pytester.path, *options)

    def run_here(self, *options: str) -> pytest.RunResult:
        """The same in this process, which is faster."""
        return self.pytester.runpytest_inprocess("--contracts", "-p", "no:cacheprovider", "-p", "no:randomly", *options)


@pytest.fixture(autouse=True)
def _not_in_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part of the contract tests be enough, as on a developer's machine."""
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture(scope="session")
def warm_pytest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmPytest]:
    # pytester forgets what a test imported. So the generator, which imports parts of itself when it is first used, is
    # used once before.
    generate(load_catalog(Path(__file__).parents[2] / "contracts"), "warm", tmp_path_factory.mktemp("warm"))
    warm = WarmPytest()
    yield warm
    warm.end()


@pytest.fixture
def repo(pytester: pytest.Pytester, warm_pytest: WarmPytest) -> Repo:
    return Repo(pytester, warm_pytest)
