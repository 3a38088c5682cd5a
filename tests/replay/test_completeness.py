"""What ran decides whether a run is green: not which options were given."""

import pytest

from .conftest import TEST_FILE
from .test_false_greens import red

READ_ONLY = TEST_FILE.partition('@pytest.mark.produces("mail')[0]
MISSING = "no test for an operation of this service: produces mail.requested"


@pytest.mark.parametrize("options", [("-m", "not slow"), ("--deselect", "test_mailer.py::test_other")])
def test_an_option_that_selects_does_not_excuse_an_operation_without_a_test(repo, options):
    repo.tests(READ_ONLY + "\ndef test_other():\n    pass\n")
    red(repo.run(*options), MISSING)


@pytest.mark.parametrize("setting", ['addopts = "-k read"', 'testpaths = ["test_mailer.py"]'])
def test_a_selection_in_the_settings_does_not_excuse_an_operation_without_a_test(repo, setting):
    repo.tests(READ_ONLY)
    path = repo.pytester.path / "pyproject.toml"
    path.write_text(f"{path.read_text()}\n{setting}\n")
    red(repo.run(), MISSING)


def test_an_operation_whose_tests_were_deselected(repo):
    repo.change("@pytest.mark.produces", "@pytest.mark.slow\n@pytest.mark.produces")
    red(repo.run("-m", "not slow"), "produces mail.requested: every test was deselected. Select one")


def test_all_contract_tests_selected_by_their_marker_are_a_whole_run(repo):
    result = repo.run("-m", "contract")
    assert result.ret == 0
    assert "partial" not in result.stdout.str()


@pytest.mark.parametrize("options", [("-k", "read"), ("test_mailer.py::test_orders_are_read",)])
def test_a_selection_on_the_command_line_is_green_and_called_partial(repo, options):
    result = repo.run(*options)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*contracts of mailer*", "partial: 1 of 2 operations"], consecutive=True)


@pytest.mark.parametrize(("call", "options"), [("skip", ()), ("xfail", ()), ("skip", ("--contracts-bulk",))])
def test_a_message_that_every_test_skips(repo, options, call):
    repo.change(
        "    assert handle(message)",
        f'    assert handle(message)\n    if message.order_id == "o1":\n        pytest.{call}("later")',
    )
    red(repo.run(*options), "consumes order.placed v1: 1 message of 3 skipped")


def test_a_message_that_another_test_reads_may_be_skipped(repo):
    skipping = '\n@pytest.mark.consumes("order.placed")\ndef test_some(message):\n    pytest.skip("later")\n'
    repo.tests(TEST_FILE + skipping)
    assert repo.run().ret == 0


def test_a_reason_for_skipping_is_shown(repo):
    repo.change(
        "    assert handle(message)",
        '    if message.order_id == "o1":\n        pytest.skip("too old")\n    assert handle(message)',
    )
    red(repo.run(), "consumes order.placed v1: 1 message of 3 skipped (too old). Let a test run with each message.")


@pytest.mark.parametrize(
    ("change", "options"),
    [("    pytest.exit('enough', returncode=0)", ()), ("    assert handle(message)", ("--setup-only",))],
)
def test_a_run_that_ended_early(repo, change, options):
    repo.change("    assert handle(message)", change)
    red(repo.run("-p", "no:randomly", *options), "6 contract tests of 6 did not run: the run ended early")


def test_the_readers_of_a_whole_run_are_kept_after_a_partial_one(repo):
    repo.run()
    path = repo.pytester.path / ".contract-test" / "readers" / "mailer.json"
    whole = path.read_text()
    repo.change("    assert handle(message)", "    assert message.order_id")
    for options in [("-k", "read"), ("-m", "not contract"), ("--deselect", "test_mailer.py::test_orders_are_answered")]:
        repo.run(*options)
        assert path.read_text() == whole


@pytest.mark.parametrize("fixture", ["emits", "recorded"])
def test_what_belongs_to_a_producer_in_a_consumers_test(repo, fixture):
    repo.change("def test_orders_are_read(message)", f"def test_orders_are_read(message, {fixture})")
    red(repo.run("-k", "read"), f"`{fixture}` is what a producer's test gets, and this is a consumer's")


def test_collecting_alone_runs_nothing_and_asks_for_nothing(repo, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = repo.run("--collect-only")
    assert result.ret == 0
    assert not (repo.pytester.path / ".contract-test").exists()
