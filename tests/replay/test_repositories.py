"""Ways in which repositories write, select and skip tests: none makes a run green that it should not, and none red."""

import pytest

from .conftest import TEST_FILE
from .test_false_greens import red

PRODUCER = TEST_FILE.partition("@pytest.mark.consumes")[0] + TEST_FILE[TEST_FILE.index("@pytest.mark.produces") :]
CONSUMER = (
    "import pytest\nfrom mailer import handle\n\n"
    + TEST_FILE[TEST_FILE.index("@pytest.mark.consumes") :].partition("@pytest.mark.produces")[0]
)
DROPS = 'def pytest_collection_modifyitems(config, items):\n    items[:] = [each for each in items if "read" not in each.name]\n'
DESELECTS = """
def pytest_collection_modifyitems(config, items):
    gone = [each for each in items if "v1.jsonl:2" in each.name]
    config.hook.pytest_deselected(items=gone)
    items[:] = [each for each in items if each not in gone]
"""
ENDS = "import pytest\ndef pytest_runtest_setup(item):\n    pytest.exit('done', returncode=0)\n"
RUNS_NOTHING = "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_pyfunc_call(pyfuncitem):\n    return True\n"
REPORTS_NOTHING = (
    "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_protocol(item):\n    return True\n"
)


class TestRed:
    @pytest.mark.parametrize("hooks", [DROPS, DESELECTS, ENDS, RUNS_NOTHING, REPORTS_NOTHING])
    def test_hooks_of_a_conftest(self, repo, hooks):
        (repo.pytester.path / "conftest.py").write_text(hooks)
        assert repo.run().ret == 1

    @pytest.mark.parametrize(
        ("first", "conftest", "options"),
        [
            ("import pytest\npytest.skip('not yet', allow_module_level=True)\n", "", ()),
            ("import pytest\npytest.importorskip('no_such_module')\n", "", ()),
            ("", "collect_ignore = ['test_orders.py']\n", ()),
            ("", "def pytest_ignore_collect(collection_path):\n    return collection_path.name == 'test_orders.py' or None\n", ()),
            ("", "", ("--ignore=test_orders.py",)),
        ],
    )  # fmt: skip
    def test_a_file_of_tests_that_is_left_out(self, repo, first, conftest, options):
        repo.tests(PRODUCER)
        (repo.pytester.path / "test_orders.py").write_text(first + CONSUMER)
        (repo.pytester.path / "conftest.py").write_text(conftest)
        red(repo.run(*options), "no test for an operation of this service: consumes order.placed")

    @pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--stepwise"])
    def test_a_run_that_ends_at_its_first_failure(self, repo, option):
        repo.change("    assert handle(message)", "    raise LookupError")
        options = (option, "-p", "cacheprovider") if option == "--stepwise" else (option,)
        assert repo.run(*options).ret not in (0, 5)

    @pytest.mark.parametrize(
        "body",
        [
            "return\n    handle(message)",
            "with pytest.raises(AttributeError): handle(message.no_such_field)",
            "Anything().handle(message)",
        ],
    )
    def test_a_test_that_passes_without_its_service(self, repo, body):
        anything = "class Anything:\n    def __getattr__(self, name): return lambda *_: None\n\n"
        repo.tests(TEST_FILE.replace("def handle", anything + "def handle").replace("assert handle(message)", body))
        assert repo.run().ret == 1

    def test_a_parameter_without_values(self, repo):
        repo.change("@pytest.mark.consumes", "@pytest.mark.parametrize('more', [])\n@pytest.mark.consumes")
        path = repo.pytester.path / "test_mailer.py"
        path.write_text(path.read_text().replace("are_read(message)", "are_read(message, more)"))
        assert repo.run().ret == 1


class TestGreen:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("def test_orders_are_read(message):\n    assert handle(message)",
             "class TestOrders:\n    def test_orders_are_read(self, message):\n        assert handle(message)"),
            ("def test_orders_are_read(message):",
             "@pytest.mark.parametrize('more', [1, 2])\ndef test_orders_are_read(message, more):"),
            ("def test_orders_are_read(message):\n    assert handle(message)",
             "def test_orders_are_read(mails):\n    assert mails\n\n@pytest.fixture\ndef mails(message):\n    return handle(message)"),
            ("    assert handle(message)",
             "    from concurrent.futures import ThreadPoolExecutor as Pool\n    Pool(1).submit(handle, message).result()"),
            ("    assert handle(message)", "    with pytest.raises(ValueError): int(handle(message)[0].to)"),
        ],
    )  # fmt: skip
    def test_a_test_that_calls_its_service(self, repo, old, new):
        text = TEST_FILE.replace(old, new)
        if new.startswith("class"):
            text = text.replace('@pytest.mark.consumes("order.placed")\nclass', "class").replace(
                "    def test_orders", '    @pytest.mark.consumes("order.placed")\n    def test_orders'
            )
        repo.tests(text)
        assert repo.run("--contracts-strict").ret == 0
