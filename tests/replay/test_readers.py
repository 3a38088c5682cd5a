"""Which fields a service reads: watched while it is replayed, kept, and describe_reading to those who change a contract."""

import copy
import json
import pickle
import sys

import pytest

from contract_test.cli import main
from contract_test.data.result import FieldReads, Reader
from contract_test.replay.field_access import FieldAccess, forget, is_read
from contract_test.replay.observed_readers import describe_reading
from envelopes.messages import DeliveryRequested, MessagePosted

from .conftest import TEST_FILE, line, order

POSTED = {
    "message_id": "m-0001",
    "group": {"group_id": "g-blue01", "name": "Blue", "size": 3},
    "author": {"person_id": "p-ana001", "name": "Ana"},
    "kind": "text",
    "text": "Lunch?",
    "posted_at": "2026-03-01T12:00:00Z",
    "mentions": [{"person_id": "p-bo0001", "name": "Bo"}],
}


@pytest.fixture
def posted():
    yield MessagePosted.from_value(POSTED)
    forget()


def read_by(use, message):
    watch = FieldAccess()
    use(watch.over(message))
    return watch.by_service


@pytest.mark.parametrize(
    ("use", "read"),
    [
        (lambda m: m.text, {"/text"}),
        (lambda m: m.author.name, {"/author", "/author/name"}),
        (lambda m: m.client, {"/client"}),  # absent, and yet it was asked for
        (lambda m: m.author.locale, {"/author", "/author/locale"}),
        (lambda m: [each.name for each in m.mentions], {"/mentions", "/mentions/*/name"}),
        (lambda m: m.author == m.mentions[0], {"/author", "/author/**", "/mentions"}),
        (lambda m: m.author.to_json(), {"/author", "/author/**"}),
        (type, set()),
        (lambda m: isinstance(m, MessagePosted), set()),
    ],
)
def test_a_read_is_seen_where_it_happens(posted, use, read):
    found = read_by(use, posted)
    assert found == read or found == read | {"/mentions/*", "/mentions/*/**"}


@pytest.mark.parametrize(
    "use",
    [
        repr, str, hash, vars, list, dict, copy.copy, copy.deepcopy, pickle.dumps,
        lambda m: {**dict(m)}, lambda m: m == MessagePosted.from_value(POSTED), lambda m: MessagePosted.from_value(POSTED) == m,
        lambda m: m.to_json(), lambda m: m.model_dump(), lambda m: m.model_dump_json(), lambda m: m.model_fields_set,
    ],
)  # fmt: skip
def test_what_takes_all_reads_everything(posted, use):
    assert is_read("/mentions/*/locale", read_by(use, posted))


def test_a_map_is_read_as_a_whole():
    wanted = DeliveryRequested(
        delivery_id="d-0001", kind="push", recipient={"person_id": "p-ana001"}, text="x", caused_by="l-1",
        enqueued_at="2026-03-01T12:00:00Z", details={"message_id": "m-1"},
    )  # fmt: skip
    try:
        assert is_read("/details/*", read_by(lambda m: m.details["message_id"], wanted))
    finally:
        forget()


def test_a_watched_message_is_the_same_message(posted):
    watched = FieldAccess().over(posted)
    assert type(watched) is MessagePosted
    assert watched == posted
    assert hash(watched) == hash(posted)
    assert watched.author is watched.author
    assert pickle.loads(pickle.dumps(watched)) == posted
    assert watched.to_json() == posted.to_json()


def test_when_nobody_watches_the_class_is_as_it_was(posted):
    FieldAccess().over(posted)
    forget()
    assert "__getattribute__" not in vars(MessagePosted)


def readers(repo):
    return json.loads((repo.pytester.path / ".contract-test" / "readers" / "mailer.json").read_text())["readers"]


def fields(reader):
    return {each["pointer"]: each["by_service"] for each in reader["fields"]}


def test_a_run_keeps_what_the_service_reads(repo):
    repo.run()
    (reader,) = readers(repo)
    assert (reader["service"], reader["subject"], reader["messages"]) == ("mailer", "order.placed", 3)
    assert fields(reader) == {"/order_id": 3, "/buyer": 3, "/buyer/mail": 3}


def test_what_is_kept_is_hidden_from_git_unless_it_is_to_be_shared(repo):
    repo.run("--contracts-readers=contracts/readers")
    assert not list(repo.contracts.rglob(".gitignore"))
    assert not (repo.pytester.path / ".contract-test").exists()
    repo.run()
    assert (repo.pytester.path / ".contract-test" / ".gitignore").read_text() == "*\n"


def test_parallel_runs_keep_the_same(repo):
    repo.run()
    alone = readers(repo)
    (repo.pytester.path / ".contract-test" / "readers" / "mailer.json").unlink()
    repo.run("-n", "2")
    assert readers(repo) == alone


def test_of_a_service_that_failed_nothing_is_kept(repo):
    repo.change("assert handle(message)", "assert not handle(message)")
    repo.run()
    assert not (repo.pytester.path / ".contract-test").exists()


def test_a_run_of_some_tests_keeps_nothing(repo):
    repo.run("-k", "read")
    assert not (repo.pytester.path / ".contract-test").exists()


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["contract-test", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code or 0, *capsys.readouterr()

    return run


def test_the_command_shows_who_reads_which_field(repo, command):
    catalog = (repo.contracts / "catalog.toml").read_text()
    (repo.contracts / "catalog.toml").write_text(catalog.replace('["mailer"]\n\n', '["mailer", "stats"]\n\n', 1))
    repo.run()
    code, out, _ = command(
        "readers", "order.placed", "--contracts", str(repo.contracts), "--readers", ".contract-test/readers"
    )
    assert code == 0
    assert "/buyer/mail      reads, in 3 of 3  unknown" in out
    assert "/note            never reads       unknown" in out


def test_after_a_change_of_the_contract_nothing_is_known(repo, command):
    repo.run("--contracts-readers=contracts/readers")
    path = repo.contracts / "order.placed" / "v1.json"
    path.write_text(path.read_text().replace('"note"', '"remark"'))
    code, out, _ = command("readers", "order.placed", "--contracts", str(repo.contracts))
    assert code == 0
    assert "unknown" in out
    assert "reads," not in out


def test_an_unknown_subject_is_a_usage_error(repo, command):
    code, _, err = command("readers", "order.paid", "--contracts", str(repo.contracts))
    assert code == 2
    assert "Known: order.placed, mail.requested" in err


def test_a_broken_file_is_told(repo, command):
    (repo.contracts / "readers").mkdir()
    (repo.contracts / "readers" / "mailer.json").write_text('{"format": 2}')
    code, _, err = command("readers", "order.placed", "--contracts", str(repo.contracts))
    assert code == 2
    assert "mailer.json: not a file of readers" in err


def test_compat_says_whom_a_removed_field_breaks(repo, command):
    repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(2)])
    catalog = (repo.contracts / "catalog.toml").read_text()
    (repo.contracts / "catalog.toml").write_text(
        catalog.replace('received_by = ["mailer"]', 'received_by = ["mailer"]\ncompatibility = "FULL"')
    )
    repo.run("--contracts-readers=contracts/readers")
    path = repo.contracts / "readers" / "mailer.json"
    document = json.loads(path.read_text())
    other = document["readers"][0] | {"service": "stats", "fields": []}
    (repo.contracts / "readers" / "stats.json").write_text(json.dumps({"format": 1, "readers": [other]}))
    (repo.contracts / "order.placed" / "v2.json").write_text(
        json.dumps({"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "string"}}})
    )
    catalog = (repo.contracts / "catalog.toml").read_text()
    (repo.contracts / "catalog.toml").write_text(
        catalog.replace('received_by = ["mailer"]\ncompatibility', 'received_by = ["mailer", "stats"]\ncompatibility')
    )
    code, out, _ = command("compat", "--contracts", str(repo.contracts))
    assert code == 1
    assert "/buyer: breaks mailer, which reads it in 2 of 2; stats never reads it" in out
    assert "mailer, which reads v1, breaks on what " in out
    assert "stats, which" not in out
    assert "and stats" not in out


FIRST_GENERATED = """
import os
CALLS = []

def use(order):
    handle(order)
    if "generated" in os.environ["PYTEST_CURRENT_TEST"]:
        CALLS.append(order.note if not CALLS else None)
"""


def test_what_is_read_of_generated_messages_alone_is_read(repo):
    text = TEST_FILE.replace("    assert handle(message)", "    use(message)").replace(
        "@pytest.mark.consumes", f"{FIRST_GENERATED}\n@pytest.mark.consumes"
    )
    repo.tests(text)
    repo.run_varied("--contracts-generated=3")
    (reader,) = readers(repo)
    assert fields(reader)["/note"] == 0
    assert describe_reading(
        Reader(**reader | {"fields": [FieldReads(**each) for each in reader["fields"]]}), "/note"
    ) == ("reads, in variations only")


@pytest.mark.parametrize(("use", "warned"), [("order.note", True), ("order.order_id", False)])
def test_compat_warns_of_an_optional_field_that_is_gone_if_it_is_read(repo, command, use, warned):
    repo.tests(TEST_FILE.replace("    return [", f"    {use}\n    return [", 1))
    repo.run("--contracts-readers=contracts/readers")
    contract = repo.contracts / "order.placed" / "v1.json"
    schema = json.loads(contract.read_text())
    del schema["properties"]["note"]
    contract.with_name("v2.json").write_text(json.dumps(schema))
    code, out, _ = command("compat", "--contracts", str(repo.contracts))
    assert code == 0
    assert ("v2.json  read-field-removed  warning: /note is gone: mailer reads it in 3 of 3" in out) == warned
    assert ("read-field-removed" in out) == warned


def test_what_a_service_decodes_itself_is_watched_too(repo):
    shop = "def store(raw):\n    return OrderPlaced.from_json(raw).buyer.mail\n\n"
    text = TEST_FILE.replace("MailRequested\n", "MailRequested, OrderPlaced\n").replace(
        "def handle", f"{shop}def handle"
    )
    repo.tests(text.replace("assert handle(message)", "assert store(message.to_json())"))
    repo.run("-k", "read", "--contracts-report=found.json").assert_outcomes(passed=3, deselected=3)
    (reader,) = json.loads((repo.pytester.path / "found.json").read_text())["readers"]
    read = {each["pointer"]: each["by_service"] for each in reader["fields"]}
    assert read == {"/order_id": 0, "/buyer": 3, "/buyer/mail": 3, "/note": 0}
