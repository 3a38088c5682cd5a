"""A service's settings are found wherever pytest was started, and in a repository of several services."""

import pytest
from replay.conftest import TEST_FILE

SETTINGS = 'package = "acme"\ncontracts = "{contracts}"'
SHOP_TESTS = """
import pytest
from acme.messages import OrderPlaced

@pytest.mark.produces("order.placed")
def test_orders_are_placed(recorded, emits):
    emits(OrderPlaced(order_id=recorded.order_id, buyer={"mail": recorded.buyer.mail}))
"""


def service(folder, name, tests, contracts):
    (folder / "tests").mkdir(parents=True)
    settings = f'[tool.contract-test]\nservice = "{name}"\n{SETTINGS.format(contracts=contracts)}\n'
    (folder / "pyproject.toml").write_text(f"{settings}\n[tool.pytest.ini_options]\n")
    (folder / "tests" / f"test_{name}.py").write_text(tests)


@pytest.fixture
def monorepo(repo):
    root = repo.pytester.path
    (root / "pyproject.toml").unlink()
    (root / "test_mailer.py").unlink()
    service(root / "services" / "mailer", "mailer", TEST_FILE, "../../contracts")
    service(root / "services" / "shop", "shop", SHOP_TESTS, "../../contracts")
    return repo


def summary(result):
    (line,) = [line for line in result.outlines if "contracts of " in line]
    return line.strip("= ").removeprefix("contracts of ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("services/mailer/tests",),
        ("services/mailer/tests/test_mailer.py",),
        ("services/mailer",),
        ("services/mailer/tests/test_mailer.py::test_orders_are_read",),
        ("-c", "services/mailer/pyproject.toml", "services/mailer/tests"),
        ("--rootdir", "services/mailer", "services/mailer/tests"),
        ("--contracts-service", "mailer"),
    ],
)
def test_from_a_monorepos_root_the_settings_of_the_service_are_found(monorepo, arguments):
    result = monorepo.run(*arguments)
    assert result.ret == 0, result.stdout.str()
    assert summary(result) == "mailer"
    assert (monorepo.pytester.path / "services/mailer/.contract-test").is_dir() == (
        "::" not in arguments[-1] and not arguments[-1].endswith(".py")
    )


def test_settings_beside_the_path_come_before_those_where_pytest_was_started(monorepo):
    (monorepo.pytester.path / "pyproject.toml").write_text('[tool.contract-test]\npackage = "acme"\n')
    result = monorepo.run("services/mailer/tests")
    assert (result.ret, summary(result)) == (0, "mailer")


def test_a_run_about_several_services_is_refused_and_names_them(monorepo):
    for arguments in ((), ("services/mailer", "services/shop")):
        result = monorepo.run(*arguments)
        assert result.ret == 4
        result.stderr.fnmatch_lines(
            ["*several services*", "  mailer: *services/mailer*", "  shop: *", "*--contracts-service*"]
        )


def test_a_service_without_settings_is_refused_and_the_others_are_named(monorepo):
    result = monorepo.run("--contracts-service", "postman")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no settings for the service 'postman'*", "*mailer, shop*"])


def test_workers_of_xdist_find_the_same_settings(monorepo):
    result = monorepo.run("-n", "1", "--contracts-service", "shop", "-p", "no:randomly")
    assert result.ret == 0, result.stdout.str()
    assert summary(result) == "shop"


@pytest.mark.parametrize("named", ["mailer", "shop"])
def test_several_tables_in_one_file_hold_several_services(repo, named):
    root = repo.pytester.path
    (root / "test_mailer.py").unlink()
    for name, tests in (("mailer", TEST_FILE), ("shop", SHOP_TESTS)):
        (root / "tests" / name).mkdir(parents=True)
        (root / "tests" / name / f"test_{name}.py").write_text(tests)
    repo.settings(
        SETTINGS.format(contracts="contracts")
        + '\n[tool.contract-test.services.mailer]\ntests = ["tests/mailer"]\n'
        + '\n[tool.contract-test.services.shop]\ntests = ["tests/shop"]\n'
    )
    by_name, by_path, neither = repo.run("--contracts-service", named), repo.run(f"tests/{named}"), repo.run()
    assert (by_name.ret, summary(by_name)) == (0, named), by_name.stdout.str()
    by_name.stdout.fnmatch_lines(["*left out * contract test* of other services"])
    assert (by_path.ret, summary(by_path)) == (0, named), by_path.stdout.str()
    assert neither.ret == 4
    neither.stderr.fnmatch_lines(["*several services*"])


def test_a_test_of_another_service_proves_nothing_for_this_one(repo):
    root = repo.pytester.path
    repo.settings(
        SETTINGS.format(contracts="contracts")
        + '\n[tool.contract-test.services.mailer]\ntests = ["tests/mailer"]\n'
        + '\n[tool.contract-test.services.shop]\ntests = ["tests/shop"]\n'
    )
    (root / "test_mailer.py").unlink()
    (root / "tests" / "shop").mkdir(parents=True)
    (root / "tests" / "mailer").mkdir()
    (root / "tests" / "shop" / "test_shop.py").write_text(TEST_FILE)
    result = repo.run("--contracts-service", "mailer")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no test for an operation of this service: consumes order.placed*"])


def test_services_that_share_their_settings_are_named_by_the_option(repo):
    repo.settings(SETTINGS.format(contracts="contracts"))
    (repo.pytester.path / "test_shop.py").write_text(SHOP_TESTS)
    for name, passed in (("mailer", 6), ("shop", 3)):
        result = repo.run("--contracts-service", name)
        assert (result.ret, summary(result)) == (0, name), result.stdout.str()
        result.assert_outcomes(passed=passed)
    assert repo.run().ret == 4


def test_a_misspelt_subject_is_an_error_there_too(repo):
    repo.settings(SETTINGS.format(contracts="contracts"))
    repo.change('consumes("order.placed")', 'consumes("order.plced")')
    result = repo.run("--contracts-service", "mailer")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no subject 'order.plced' in the catalog*"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            'service = "a"\n[tool.contract-test.services.b]\n',
            "*service = 'a' is beside the tables of several services*",
        ),
        ("services = 3\n", "*services is not a table of tables*"),
        ('[tool.contract-test.services.b]\ntests = "tests"\n', "*services.b*: tests is 'tests'*"),
    ],
)
def test_tables_that_are_none_are_refused(repo, more, said):
    repo.settings(SETTINGS.format(contracts="contracts") + "\n" + more)
    result = repo.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])
