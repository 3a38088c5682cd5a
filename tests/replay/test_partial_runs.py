"""A part of the contract tests is never taken for all of them: what was left out is named, and shares have to add up."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from .conftest import TEST_FILE, line, mail, order
from .test_false_greens import red

READ = ("-k", "read")
ANSWERED = ("-k", "answered")
BY_PARTS = """
import os

def pytest_collection_modifyitems(config, items):
    part = os.environ.get("PART")
    if part is not None:
        chosen = [item for number, item in enumerate(items) if str(number % 2) == part]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
"""


def merge(repo, *arguments):
    return subprocess.run(
        [Path(sys.executable).with_name("contract-test"), "merge-results", *arguments],
        cwd=repo.pytester.path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(repo.pytester.path), "PATH": ""},
    )  # fmt: skip


class TestWhereAWholeRunIsAskedFor:
    def test_an_option_asks_for_one(self, repo):
        red(
            repo.run(*READ, "--contracts-strict"),
            "partial: 1 of 2 operations, and --contracts-strict is given: a part of the contract tests is not enough",
        )

    def test_a_strict_setting_is_no_reason_on_a_developers_machine(self, repo):
        repo.settings('service = "mailer"\npackage = "acme"\ncontracts = "contracts"\nstrict = true')
        assert repo.run(*READ).ret == 0

    def test_continuous_integration_asks_for_one(self, repo, monkeypatch):
        monkeypatch.setenv("CI", "true")
        red(repo.run(*READ), "partial: 1 of 2 operations, and CI is set", "`contract-test merge-results`")

    def test_a_whole_run_is_green(self, repo):
        assert repo.run("--contracts-strict").ret == 0
        assert repo.run("--contracts-strict", "test_mailer.py").ret == 0

    def test_a_share_is_green(self, repo):
        assert repo.run(*READ, "--contracts-strict", "--contracts-partial").ret == 0

    def test_a_share_is_named_on_the_command_line_itself(self, repo):
        path = repo.pytester.path / "pyproject.toml"
        path.write_text(f'{path.read_text()}\naddopts = "--contracts-partial"\n')
        red(repo.run(*READ, "--contracts-strict"), "partial: 1 of 2 operations")


class TestWhatWasLeftOut:
    def test_one_message_of_an_operation_that_was_deselected(self, repo):
        item = "test_mailer.py::test_orders_are_read[order.placed-v1[v1.jsonl:2]]"
        red(repo.run(f"--deselect={item}"), "consumes order.placed v1: 1 message of 3 deselected.")

    def test_a_variation_that_was_deselected(self, repo):
        path = repo.pytester.path / "pyproject.toml"
        path.write_text(
            f"{path.read_text()}\naddopts = ['--deselect=test_mailer.py::test_orders_are_read["
            "order.placed-v1[v1.jsonl:1 unicode]]']\n"
        )
        result = repo.run_varied("--contracts-generated=0")
        red(result, "consumes order.placed v1: 1 message of ", " deselected. Let a test run with each message")

    def test_messages_that_a_hook_dropped_without_a_word(self, repo):
        (repo.pytester.path / "conftest.py").write_text(
            "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_collection_modifyitems(items):\n"
            "    items[:] = [item for item in items if 'v1.jsonl:3' not in item.name]\n"
        )
        red(repo.run(), "consumes order.placed v1: no test ran with 1 of 3 recorded messages")

    def test_tests_whose_messages_other_tests_ran_with(self, repo):
        again = '\n@pytest.mark.slow\n@pytest.mark.consumes("order.placed")\ndef test_again(message):\n    handle(message)\n'
        repo.tests(TEST_FILE + again)
        result = repo.run("-m", "not slow")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["3 contract tests deselected; other tests ran with the same messages"])

    def test_effects_of_a_cause_that_no_marker_names(self, repo):
        catalog = repo.contracts / "catalog.toml"
        catalog.write_text(catalog.read_text() + '\n[subjects."order.paid"]\nchannel = "orders"\nid = "/order_id"\n')
        (repo.contracts / "order.paid" / "recordings").mkdir(parents=True)
        (repo.contracts / "order.paid" / "v1.json").write_text(
            (repo.contracts / "order.placed" / "v1.json").read_text()
        )
        repo.record("order.paid", [line("order.paid", 1, order(7)).replace('"mails"', '"orders"')])
        repo.record("mail.requested", [line("mail.requested", 1, mail(number)) for number in (0, 1, 2, 7)])
        repo.generate()
        red(repo.run(), "produces mail.requested v1: no test ran with 1 of 4 recorded messages", "each `caused_by`")

    @pytest.mark.parametrize(
        ("call", "reason"), [("pytest.skip('not yet')", "not yet"), ("pytest.xfail('soon')", "xfail: soon")]
    )
    def test_what_was_skipped_has_a_column(self, repo, call, reason):
        repo.change(
            "    assert handle(message)", f"    if message.order_id == 'o1': {call}\n    assert handle(message)"
        )
        result = repo.run()
        result.stdout.re_match_lines([r".*passed +failed +skipped", r"order.placed +v1 +consumes .* 2 +0 +1$"])
        red(result, f"1 message of 3 skipped ({reason})")

    def test_in_bulk_the_reason_is_named_too(self, repo):
        repo.change("    assert handle(message)", "    pytest.skip('not yet')")
        red(repo.run("--contracts-bulk"), "consumes order.placed v1: 3 messages of 3 skipped (not yet)")

    def test_a_worker_that_died(self, repo):
        repo.change("    assert handle(message)", "    import os\n    os._exit(1)")
        red(repo.run("-n", "2", "--max-worker-restart=0"))


class TestShares:
    def share(self, repo, name, *options):
        result = repo.run(*options, "--contracts-partial", f"--contracts-results={name}")
        assert (repo.pytester.path / name).is_file()
        return result

    def test_shares_that_add_up_are_green_and_write_what_was_read(self, repo):
        self.share(repo, "a.json", *READ)
        self.share(repo, "b.json", *ANSWERED)
        readers = repo.pytester.path / ".contract-test" / "readers" / "mailer.json"
        assert not readers.exists()
        done = merge(repo, "a.json", "b.json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "order.placed    v1       consumes   3" in done.stdout
        assert "/buyer/mail" in readers.read_text()

    def test_tests_that_a_hook_distributes(self, repo, monkeypatch):
        (repo.pytester.path / "conftest.py").write_text(BY_PARTS)
        for part in "01":
            monkeypatch.setenv("PART", part)
            assert self.share(repo, f"{part}.json").ret == 0
        assert merge(repo, "0.json", "1.json").returncode == 0
        done = merge(repo, "0.json", "0.json")
        assert done.returncode == 1
        assert "deselected" in done.stdout

    @pytest.mark.skipif(find_spec("pytest_split") is None, reason="pytest-split is not installed")
    def test_tests_that_pytest_split_distributes(self, repo):
        repo.tests(
            f'{TEST_FILE}\n@pytest.mark.consumes("order.placed")\ndef test_equal(message):\n    assert message == message\n'
        )
        for group in "12":  # in the second one, tests only compare messages
            assert self.share(repo, f"{group}.json", "--splits=2", f"--group={group}").ret == 0
        done = merge(repo, "1.json", "2.json")
        assert done.returncode == 0, done.stdout + done.stderr
        for group in "12":
            done = merge(repo, f"{group}.json")
            assert done.returncode == 1
            assert "produces mail.requested v1: " in done.stdout

    def test_an_operation_that_no_share_ran(self, repo):
        self.share(repo, "a.json", *READ)
        done = merge(repo, "a.json")
        assert done.returncode == 1
        assert "produces mail.requested: every test was deselected" in done.stdout

    def test_a_share_that_failed(self, repo):
        self.share(repo, "a.json", *READ)
        repo.change("emits(mail)", "pass")
        assert self.share(repo, "b.json", *ANSWERED).ret == 1
        done = merge(repo, "a.json", "b.json", "--format=json")
        assert done.returncode == 1
        document = json.loads(done.stdout)
        assert {each["subject"]: len(each["failed"]) for each in document["operations"]} == {
            "mail.requested": 3,
            "order.placed": 0,
        }

    def test_a_share_of_other_recordings(self, repo):
        self.share(repo, "a.json", *READ)
        repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(4)])
        done = merge(repo, "a.json")
        assert done.returncode == 2
        assert "results of other contracts or recordings" in done.stderr

    def test_a_file_that_is_no_share(self, repo):
        (repo.pytester.path / "a.json").write_text("{}")
        done = merge(repo, "a.json")
        assert done.returncode == 2
        assert "a.json: not the results of a share" in done.stderr


class TestAcceptedFailures:
    TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()
    YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()

    def pending(self, repo, until):
        repo.change(
            '@pytest.mark.consumes("order.placed")\n',
            f'@pytest.mark.contract_pending(reason="gift cards", until="{until}")\n@pytest.mark.consumes("order.placed")\n',
        )
        path = repo.pytester.path / "test_mailer.py"
        path.write_text(
            path.read_text().replace("    assert handle(message)", "    raise LookupError(message.order_id)")
        )

    def test_a_marker_keeps_the_run_green_and_the_failures_in_the_reports(self, repo):
        self.pending(repo, self.TOMORROW)
        result = repo.run("--contracts-report=run.json")
        assert result.ret == 0
        result.assert_outcomes(passed=3, xfailed=3)
        result.stdout.re_match_lines(
            [
                r".*passed +failed +accepted +skipped",
                r"order.placed .* 0 +0 +3 +0$",
                f"  accepted until {self.TOMORROW}: gift cards",
            ]
        )
        failed = json.loads((repo.pytester.path / "run.json").read_text())["operations"][1]["failed"]
        assert {each["accepted"] for each in failed} == {f"until {self.TOMORROW}: gift cards"}
        assert (
            not (repo.pytester.path / ".contract-test/readers").exists()
            or '"order.placed"'
            not in (repo.pytester.path / ".contract-test/readers/mailer.json")
            .read_text()
            .partition("mail.requested")[0]
        )

    def test_after_its_last_day_it_is_red(self, repo):
        self.pending(repo, self.YESTERDAY)
        red(repo.run(), f"It was accepted until {self.YESTERDAY}: gift cards")

    @pytest.mark.parametrize("arguments", ["", 'reason="x"', 'reason="x", until="soon"', 'until="2027-03-31"'])
    def test_a_marker_without_a_reason_or_a_day(self, repo, arguments):
        repo.change(
            '@pytest.mark.consumes("order.placed")\n',
            f'@pytest.mark.contract_pending({arguments})\n@pytest.mark.consumes("order.placed")\n',
        )
        red(repo.run(), 'Write @pytest.mark.contract_pending(reason="why it fails", until="2027-03-31").')

    def accept(self, repo, finding, until):
        (repo.contracts / "accepted.toml").write_text(
            f'[[replay]]\nfinding = "{finding}"\nreason = "gift cards"\n' + (f"until = {until}\n" if until else "")
        )

    @pytest.mark.parametrize("options", [(), ("--contracts-bulk",)])
    def test_an_entry_keeps_the_run_green(self, repo, options):
        repo.change("    assert handle(message)", "    assert handle(message)\n    raise LookupError(message.order_id)")
        finding = "handler-failed:order.placed:v1:consumes:"
        assert repo.run("--contracts-report=run.json", *options).ret == 1
        failed = json.loads((repo.pytester.path / "run.json").read_text())["operations"][1]["failed"]
        assert {each["finding"] for each in failed} == {finding}
        self.accept(repo, finding, self.TOMORROW)
        result = repo.run(*options)
        assert result.ret == 0
        result.stdout.fnmatch_lines([f"  accepted until {self.TOMORROW}: gift cards"])

    def test_an_entry_without_a_day_or_of_another_failure_keeps_it_red(self, repo):
        repo.change("    assert handle(message)", "    raise LookupError(message.order_id)")
        self.accept(repo, "handler-failed:order.placed:v1:consumes:", None)
        red(repo.run(), "It cannot be accepted without a last day")
        self.accept(repo, "handler-failed:order.placed:v2:consumes:", self.TOMORROW)
        red(repo.run())

    def test_an_entry_whose_failure_is_gone_is_named(self, repo):
        self.accept(repo, "handler-failed:order.placed:v1:consumes:", self.TOMORROW)
        result = repo.run()
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            ["*accepted.toml:*replay* 1: handler-failed:order.placed:v1:consumes: is accepted*"]
        )

    def test_another_failure_of_a_pending_test_in_generated_messages_is_kept(self, repo):
        self.pending(repo, self.TOMORROW)
        result = repo.run_varied("--contracts-generated=5")
        assert result.ret == 0
        assert result.parseoutcomes()["xfailed"] > 4
