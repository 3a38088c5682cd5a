"""`contract-test init` in repositories as people have them: pytest's settings in any file, tests of their own."""

import tomllib

import pytest
from start.test_init import DEMO, init, run

from contract_test.data.errors import CatalogError
from contract_test.start.existing_tests import read_existing_tests
from contract_test.start.pytest_settings import PytestSettings, read_pytest_settings

INI = "[pytest]\ntestpaths = {paths}\npython_files = {files}\npython_functions = {functions}\n"
SETTINGS = {
    "pytest.ini": INI,
    ".pytest.ini": INI,
    "tox.ini": "[tox]\nenvlist = py311\n\n" + INI,
    "setup.cfg": "[metadata]\nname = transport\n\n[tool:pytest]\n" + INI.partition("\n")[2],
    "pytest.toml": "[pytest]\ntestpaths = ['{paths}']\npython_files = ['{files}']\npython_functions = ['{functions}']\n",
    "pyproject.toml (native)": "[tool.pytest]\ntestpaths = ['{paths}']\npython_files = ['{files}']\n"
    "python_functions = ['{functions}']\n",
    "pyproject.toml (ini_options)": "[tool.pytest.ini_options]\ntestpaths = '{paths}'\npython_files = '{files}'\n"
    "python_functions = ['{functions}']\n",
}


@pytest.mark.parametrize("file", SETTINGS)
def test_init_writes_tests_where_the_settings_of_pytest_look_for_them(tmp_path, file):
    (tmp_path / "checks").mkdir()
    text = SETTINGS[file].format(paths="checks", files="check_*.py", functions="it_*")
    (tmp_path / file.partition(" ")[0]).write_text(text)
    result = init(tmp_path, *DEMO, "--service", "transport")
    assert result.return_value == 0, (result.output, result.exception)
    assert "def it_delivery_requested_is_consumed(" in (tmp_path / "checks" / "check_contracts.py").read_text()
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["contract-test"]
    assert settings == {"service": "transport", "package": "envelopes", "strict": True}


@pytest.mark.parametrize("file", ["setup.cfg", "pytest.toml"])
def test_pytest_collects_what_init_wrote_there(tmp_path, file):
    text = SETTINGS[file].format(paths="checks", files="check_*.py", functions="it_*")
    (tmp_path / file).write_text(text)
    assert init(tmp_path, *DEMO, "--service", "transport").return_value == 0
    code, said = run(tmp_path, "pytest", "--collect-only", "-q", "--contracts", "-p", "no:cacheprovider")
    assert code == 0, said
    assert "checks/check_contracts.py::it_delivery_requested_is_consumed[" in said


def test_the_first_file_counts_as_for_pytest(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['b']\n")
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\ntestpaths = c\n")
    assert read_pytest_settings(tmp_path).testpaths == ("b",)
    (tmp_path / "pytest.ini").write_text("")
    assert read_pytest_settings(tmp_path) == PytestSettings(tmp_path)


def test_settings_of_a_folder_above_count_but_not_its_testpaths(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = all\npython_files = check_*.py\n")
    (tmp_path / "service").mkdir()
    assert read_pytest_settings(tmp_path / "service") == PytestSettings(
        tmp_path / "service", python_files=("check_*.py",)
    )


@pytest.mark.parametrize(
    ("settings", "file", "function"),
    [
        ({}, "test_contracts.py", "test_x"),
        ({"python_files": ("tests.py", "test_*.py")}, "test_contracts.py", "test_x"),
        ({"python_files": ("*_test.py",)}, "contracts_test.py", "test_x"),
        ({"python_files": ("*_spec.py",)}, "contracts_spec.py", "test_x"),
        ({"python_functions": ("check",)}, "test_contracts.py", "check_x"),
        ({"python_functions": ("*_works",)}, "test_contracts.py", "x_works"),
        ({"python_functions": ("test", "check")}, "test_contracts.py", "test_x"),
    ],
)
def test_what_init_writes_has_names_that_pytest_collects(tmp_path, settings, file, function):
    found = PytestSettings(tmp_path, **settings)
    assert (found.file_name, found.function_name("x")) == (file, function)


@pytest.mark.parametrize(
    ("testpaths", "there", "tests"),
    [
        ((), (), "tests"),
        ((), ("test",), "test"),
        (("src/*/tests",), ("src/a/tests", "src/b/tests"), "src/a/tests"),
        (("checks",), (), "checks"),
        (("checks", "tests"), ("tests",), "tests"),
    ],
)
def test_tests_go_where_tests_are(tmp_path, testpaths, there, tests):
    for folder in there:
        (tmp_path / folder).mkdir(parents=True)
    assert PytestSettings(tmp_path, testpaths).tests_folder == tests


@pytest.mark.parametrize(
    ("file", "text"), [("setup.cfg", "[tool:pytest\n"), ("tox.ini", "[pytest]\ntestpaths = 'a\n"), ("pytest.toml", "[")]
)
def test_settings_that_cannot_be_read_are_named(tmp_path, file, text):
    (tmp_path / file).write_text(text)
    with pytest.raises(CatalogError, match=file):
        read_pytest_settings(tmp_path)


def operations(tmp_path, text, name="test_a.py"):
    (tmp_path / "tests").mkdir(exist_ok=True)
    (tmp_path / "tests" / name).write_text(text)
    return sorted(read_existing_tests(PytestSettings(tmp_path), tmp_path).operations)


@pytest.mark.parametrize(
    "text",
    [
        'import pytest\n@pytest.mark.consumes("a.b")\ndef test(): ...',
        'import pytest\n@pytest.mark.consumes(subject="a.b")\nasync def test(): ...',
        'import pytest as pt\n@pt.mark.consumes("a" ".b")\ndef test(): ...',
        'from pytest import mark as m\n@m.consumes("a.b")\ndef test(): ...',
        'import pytest\nSUBJECT = "a.b"\n@pytest.mark.consumes(\n    SUBJECT,\n)\ndef test(): ...',
        'import pytest\nconsumes = pytest.mark.consumes\n@consumes("a.b")\ndef test(): ...',
        'import pytest\nlikes = pytest.mark.consumes("a.b")\n@likes\ndef test(): ...',
        'import pytest\npytestmark = pytest.mark.consumes("a.b")\ndef test(): ...',
        'import pytest\npytestmark = [pytest.mark.asyncio, pytest.mark.consumes("a.b")]\ndef test(): ...',
        'import pytest\n@pytest.mark.consumes("a.b")\nclass TestIt:\n    def test(self): ...',
        'import pytest\nclass TestIt:\n    @pytest.mark.consumes("a.b")\n    def test(self): ...',
        'import pytest\nclass Base:\n    @pytest.mark.consumes("a.b")\n    def test(self): ...\nclass TestIt(Base): ...',
        'import pytest\ntry:\n    import x\nexcept ImportError:\n    @pytest.mark.consumes("a.b")\n    def test(): ...',
    ],
)
def test_a_test_is_seen_however_its_marker_is_written(tmp_path, text):
    assert operations(tmp_path, text) == [("consumes", "a.b")]


@pytest.mark.parametrize(
    "text",
    [
        '# TODO: @pytest.mark.consumes("a.b")\ndef test(): ...',
        '"""Use @pytest.mark.consumes("a.b")."""\ndef test(): ...',
        'import pytest\nTEXT = """\n@pytest.mark.consumes("a.b")\ndef test(): ...\n"""',
        'import pytest\n@pytest.mark.consumes("a.b")\ndef helper(): ...',
        'import pytest\nclass Helper:\n    @pytest.mark.consumes("a.b")\n    def test(self): ...',
        "import pytest\n@pytest.mark.consumes()\ndef test(): ...",
        'import pytest\nbroker = object()\n@broker.mark.consumes("a.b")\ndef test(): ...',
        'broker = object()\nbroker.consumes("a.b")',
        'import pytest\n@pytest.mark.consumes("a.b")\ndef test(: ...',
        "",
    ],
)
def test_what_is_no_test_of_a_subject_is_not_taken_for_one(tmp_path, text):
    assert operations(tmp_path, text) == []


def test_only_files_that_pytest_collects_count(tmp_path):
    text = 'import pytest\n@pytest.mark.consumes("a.b")\ndef test(): ...'
    assert operations(tmp_path, text, "helpers.py") == []
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "test_a.py").write_text(text)
    assert operations(tmp_path, text, "helpers.py") == []


def test_init_writes_only_the_tests_that_are_missing(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "feed"\nversion = "1"\n')
    (tmp_path / "src" / "feed" / "tests").mkdir(parents=True)
    (tmp_path / "src" / "feed" / "tests" / "test_likes.py").write_text(
        '# TODO: @pytest.mark.consumes("message.posted")\nimport pytest\n\n'
        '@pytest.mark.consumes(subject="message.liked")\ndef test_likes(message): ...\n'
    )
    assert init(tmp_path, *DEMO).return_value == 0
    text = (tmp_path / "tests" / "test_contracts.py").read_text()
    assert 'consumes("message.posted")' in text
    assert 'consumes("message.liked")' not in text


def test_a_second_service_of_a_repository_gets_a_table_and_tests_of_its_own(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.contract-test]\npackage = "envelopes"\n')
    for service in ("transport", "feed"):
        result = init(tmp_path, "--service", service)
        assert result.return_value == 0, (result.output, result.exception)
    assert tomllib.loads(path.read_text())["tool"]["contract-test"] == {
        "package": "envelopes",
        "services": {
            "transport": {"strict": True, "tests": ["tests/transport"]},
            "feed": {"strict": True, "tests": ["tests/feed"]},
        },
    }
    names = sorted(each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("test_*.py"))
    assert names == ["tests/feed/test_feed_contracts.py", "tests/transport/test_transport_contracts.py"]
    before = path.read_text()
    assert init(tmp_path, "--service", "feed").return_value == 0
    assert path.read_text() == before
