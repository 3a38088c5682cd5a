"""`pytest --contracts`, as a service's repo runs it."""

import json

import pytest

from .conftest import TEST_FILE, line, mail, order


def test_every_recorded_message_is_an_item_of_its_own(repo):
    result = repo.run("-v")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines([
        "*test_orders_are_read?order.placed-v1?v1.jsonl:1?? PASSED*",
        "*test_orders_are_answered?mail.requested-v1?v1.jsonl:3?? PASSED*",
        "subject * version * operation * recorded * passed * failed * skipped",
        "mail.requested * v1 * produces * 3 * 3 * 0",
        "order.placed * v1 * consumes * 3 * 3 * 0",
    ])  # fmt: skip


def test_without_the_option_contract_tests_do_not_clutter_a_run(repo):
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    result = repo.pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert "deselected" not in result.stdout.str()


def test_contract_tests_run_beside_others_and_can_be_selected(repo):
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    repo.run().assert_outcomes(passed=7)
    repo.run("-m", "contract").assert_outcomes(passed=6, deselected=1)
    repo.run("-k", "order.placed").assert_outcomes(passed=3, deselected=4)


def test_parallel_runs_give_the_same_table(repo):
    result = repo.run("-n", "2")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["mail.requested * v1 * produces * 3 * 3 * 0"])


def test_a_consumer_that_reads_a_field_that_is_not_there_is_red_with_place_pointer_and_advice(repo):
    repo.change("order.buyer.mail", "order.buyer.email")
    result = repo.run()
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines([
        "E * Buyer has no field 'email'*",
        "contract   order.placed v1: sent by shop, received by mailer",
        "message    *order.placed/recordings/v1.jsonl:1",
        "pointer    /buyer/email: the contract has no such field (it has: mail)",
        "what to do  read `mail` instead, or *",
        "order.placed * v1 * consumes * 3 * 0 * 3 * 0",
    ])  # fmt: skip


def test_a_failure_names_the_owners_of_who_is_concerned_in_every_report(repo):
    with (repo.contracts / "catalog.toml").open("a") as catalog:
        catalog.write('[services.mailer]\nowner = "post"\n[owners.post]\ncontacts = { slack = "#post" }\n')
    repo.change("order.buyer.mail", "order.buyer.email")
    reports = [f"--contracts-report={name}" for name in ("run.json", "run.html")]
    repo.pytester.makeconftest("import os\nos.environ['GITHUB_ACTIONS'] = 'true'")
    result = repo.run("-k", "order.placed", "--junit-xml=run.xml", *reports)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "owner      mailer is owned by post (slack #post)",
            "*; mailer is owned by post (slack #post)*",
            "::error *mailer is owned by post (slack #post)*",
        ]
    )
    for name in ("run.json", "run.html", "run.xml"):
        assert "post (slack #post)" in (repo.pytester.path / name).read_text(), name


def test_a_producer_that_emits_something_else_is_red_with_the_pointer(repo):
    repo.change("to=order.buyer.mail", 'to="all@example.org"')
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(['*/to: expected "b0@example.org", found "all@example.org"'])


def test_volatile_and_masked_fields_are_held_to_the_contract_only(repo):
    lines = [line("mail.requested", 1, mail(number, to="x@y"), masked=["/to"]) for number in range(3)]
    repo.record("mail.requested", lines)
    result = repo.run()
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines([
        "produces mail.requested v1: 3 values in 3 messages were masked when they were recorded, and compared by type*"
    ])  # fmt: skip


def test_a_masked_value_that_the_cause_holds_too_is_compared_and_not_counted(repo):
    lines = [line("mail.requested", 1, mail(number), masked=["/to"]) for number in range(3)]
    repo.record("mail.requested", lines)
    assert "compared by type" not in repo.run().stdout.str()


def test_a_producer_that_breaks_its_contract_is_red(repo):
    repo.change('asked_at="2030-01-01T00:00:00Z"', 'asked_at="soon"')
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*pointer    /asked_at*"])


def test_a_producer_that_emits_nothing_is_red(repo):
    repo.change("        emits(mail)", "        pass")
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*nothing was emitted*"])


def test_a_producer_that_emits_one_more_is_red(repo):
    repo.change("        emits(mail)", "        emits(mail); emits(mail)")
    repo.run("-k", "answered").assert_outcomes(failed=3, deselected=3)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("order.placed", "no recorded message of order.placed"),
        ("mail.requested", "no recorded message of mail.requested"),
    ],
)
def test_no_recordings_is_red_and_says_how_to_record(repo, subject, said):
    repo.record(subject, []).unlink()
    result = repo.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{said}*", "*contract-test record URL --channel *"])


def test_a_cause_that_was_not_recorded_is_red(repo):
    repo.record("order.placed", [line("order.placed", 1, order(7))])
    result = repo.run("-k", "answered")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no recorded order.placed has the id*", "*Record both channels*"])


def test_one_cause_that_was_not_recorded_is_one_red_item(repo):
    repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(2)])
    result = repo.run("-k", "answered")
    result.assert_outcomes(passed=2, errors=1, deselected=2)
    result.stdout.fnmatch_lines(["*v1.jsonl:3: no recorded message has the id*"])


def test_an_operation_without_a_test_is_red(repo):
    repo.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
    result = repo.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["no test for an operation of this service: produces mail.requested*"])


def test_an_unknown_subject_is_red(repo):
    repo.change('consumes("order.placed")', 'consumes("order.paid")')
    result = repo.run("-k", "read")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no subject 'order.paid'*", "*Known: order.placed, mail.requested*"])


def test_a_recording_that_breaks_its_contract_is_red_with_its_line(repo):
    repo.record("order.placed", [line("order.placed", 1, order(1)), line("order.placed", 1, {"order_id": 7})])
    result = repo.run("-k", "read")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*v1.jsonl:2: the recorded message breaks its contract*"])


def test_no_contracts_is_a_usage_error(repo):
    result = repo.run("--contracts-dir=nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere: there is no such directory*"])


def test_a_service_that_the_catalog_does_not_know_is_a_usage_error(repo):
    repo.settings('service = "maler"\npackage = "acme"\ncontracts = "contracts"')
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no subject is sent or received by service 'maler' (known: mailer, postman, shop)*"])


def test_no_settings_is_a_usage_error_that_shows_them(repo):
    (repo.pytester.path / "pyproject.toml").unlink()
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*[[]tool.contract-test]*", "*service = *"])


def advice(result):
    """What the summary says to do, of each kind of failure."""
    lines = [each.strip() for each in result.outlines]
    return [each.removeprefix("to do").strip() for each in lines if each.startswith("to do ")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return [MailRequested", "raise KeyError('x')\n    return [MailRequested", "Let the code send this message again"),
        ("assert handle(message)", "assert hande(message)", "Mend the code, or its test"),
        ("assert handle(message)", "import shop_of_nobody", "Mend the code, or its test"),
        ("_read(message)", "_read(message, stock)", "Write it, in the file of the tests or in conftest.py"),
        ("(cause, emits)", "(cause, emits, stock)", "Write it, in the file of the tests or in conftest.py"),
        ("assert handle(message)", "lost(message)\n\nasync def lost(order): handle(order)", "await it"),
        ("def test_orders_are_read", "async def test_orders_are_read", "await it"),
        ("(cause, emits)", "(message, emits)", "Ask for `cause`, or, where no message led to it, for `recorded`."),
        ("read(message):", "read(message, cause):", "Ask for `message`, or for `envelope`."),
        (', caused_by="order.placed"', "", 'Write @pytest.mark.produces("mail.requested", caused_by="'),
        ("to=order.buyer.mail", 'to="all@example.org"', "such as a clock's time, stands under `volatile` in the catalog."),
    ],
)  # fmt: skip
def test_the_advice_fits_what_failed(repo, old, new, said):
    repo.change(old, new)
    result = repo.run("-p", "no:anyio", "-p", "no:asyncio")
    assert result.ret == 1
    assert said in "\n".join(advice(result)), result.outlines


def test_a_fixture_that_fails_is_what_is_to_mend(repo):
    broken = "@pytest.fixture\ndef stock():\n    raise OSError('no disk')\n\n@pytest.mark.consumes"
    repo.tests(TEST_FILE.replace("@pytest.mark.consumes", broken).replace("_read(message)", "_read(message, stock)"))
    assert "It failed before the test began: mend the fixture." in advice(repo.run())


def test_a_cause_that_the_catalog_does_not_place_is_said_so(repo):
    catalog = repo.contracts / "catalog.toml"
    catalog.write_text(catalog.read_text().replace('caused_by = "/order_id"\n', ""))
    result = repo.run("-k", "answered")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the catalog does not say where a mail.requested names its cause", "*Add caused_by*"])


def test_what_a_producer_emits_may_be_text_and_nothing_strange(repo):
    text = TEST_FILE.replace("emits(mail)", "emits(WHAT)").replace("import pytest", "import pytest, json", 1)
    event = (
        "json.dumps({'specversion': '1.0', 'id': 'x', 'source': '/s', 'type': 'mail.requested',"
        " 'data': json.loads(mail.to_json())})"
    )
    repo.tests(text.replace("WHAT", event))
    repo.run("-k", "answered").assert_outcomes(passed=3, deselected=3)
    repo.tests(text.replace("WHAT", "7"))
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*expected a value object, an envelope, *, found a `int` given to `emits`"])
    assert "Traceback" not in result.stdout.str()


def test_what_was_recorded_and_is_emitted_as_it_is_proves_nothing(repo):
    repo.tests(
        TEST_FILE.replace(', caused_by="order.placed"', "").replace("handle(cause)", "[recorded]")
        .replace("(cause, emits)", "(recorded, emits)")
    )  # fmt: skip
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*copy-emitted*"])


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "parallel"])
def test_of_a_file_that_is_not_collected_no_operation_is_said_to_lack_a_test(repo, options):
    repo.tests("import billing_of_nobody\n" + TEST_FILE)
    result = repo.run(*options)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["test_mailer.py was not collected*`python -m pytest --contracts`*"])
    assert "no test for an operation" not in result.stdout.str()


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ("--contracts-min-coverage=200", "a percentage from 0 to 100"),
        ("--contracts-min-coverage=nan", "a percentage from 0 to 100"),
        ("--contracts-min-strength=-1", "a percentage from 0 to 100"),
        ("--contracts-generated=-1", "a whole number from 0 to 100,000"),
        ("--contracts-generated=many", "a whole number from 0 to 100,000"),
    ],
)
def test_a_number_that_an_option_cannot_have_is_a_usage_error(repo, option, wanted):
    result = repo.run_here(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name, _, value = option.partition("=")
    result.stderr.fnmatch_lines([f"*argument {name}: '{value}' is not {wanted}"])


def test_a_recording_that_begins_with_a_byte_order_mark_is_told_so(repo):
    path = repo.contracts / "order.placed" / "recordings" / "v1.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    result = repo.run_here()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*v1.jsonl:1: begins with a byte order mark"])


def test_a_narrow_terminal_gets_the_table_line_by_line(repo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    lines = repo.run().outlines
    place = lines.index("order.placed v1 consumes")
    assert lines[place + 1] == "  recorded 3, varied 0, covered 80%, passed 3,"
    assert lines[place + 2] == "  failed 0, skipped 0"


def test_the_marker_of_the_other_operation_is_advised_where_the_catalog_has_it(repo):
    repo.change('@pytest.mark.consumes("order.placed")', '@pytest.mark.consumes("mail.requested")')
    repo.run_here().stdout.fnmatch_lines(
        ['*it produces it: mark the test @pytest.mark.produces("mail.requested"). Or: Add*']
    )


def test_a_made_message_that_fails_is_shown_at_the_end_too(repo):
    repo.change("assert handle(message)", "assert message.note is None")
    repo.run_varied("--tb=no").stdout.fnmatch_lines(["  message  *v1.jsonl:1, *", '  data     {*"note":*}'])


def test_an_option_of_contract_tests_alone_is_a_usage_error(repo):
    result = repo.pytester.runpytest_subprocess("--contracts-report=x.json", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--contracts-report is about contract tests; give --contracts too"])
    repo.pytester.makepyprojecttoml('[tool.pytest.ini_options]\naddopts = "--contracts-max-age=90d"')
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    assert repo.pytester.runpytest_subprocess("-p", "no:cacheprovider").ret == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            'contracts = "../nowhere"\npackage = "acme"',
            "*Correct `contracts` of *, or name one with --contracts-dir DIR.",
        ),
        ('contracts = "contracts"\npackage = "acme-of-us"', "*Python's name of it is 'acme_of_us'."),
    ],
)
def test_a_setting_that_leads_nowhere_is_told_as_a_setting(repo, settings, said):
    repo.settings(f'service = "mailer"\n{settings}')
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
    assert "/../" not in result.stderr.str()


def test_an_async_handler_that_nobody_awaits_is_red(repo):
    repo.tests(TEST_FILE.replace("def test_orders_are_read", "async def test_orders_are_read"))
    repo.settings('service = "mailer"\npackage = "acme"\ncontracts = "contracts"')
    assert repo.run("-p", "no:asyncio", "-p", "no:anyio", "-k", "read").ret == 1


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "parallel"])
def test_old_recordings_are_named_and_the_run_stays_green(repo, options):
    event = json.loads(line("order.placed", 1, order(0)))
    event["payload"]["time"] = "2020-01-01T00:00:00Z"
    repo.record("order.placed", [json.dumps(event) + "\n"])
    repo.record("mail.requested", [line("mail.requested", 1, mail(0))])
    result = repo.run(*options)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["order.placed v1: the newest of 1 recorded message is * days old. Record it again*"])
    assert "days old" not in repo.run("--contracts-max-age", "99999d", *options).stdout.str()


def test_a_package_that_is_not_installed_is_a_usage_error(repo):
    repo.settings('service = "mailer"\npackage = "acme_of_another"\ncontracts = "contracts"')
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the package 'acme_of_another' is not installed", "  pip install what it comes*"]
    )
