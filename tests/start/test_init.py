"""`contract-test init`: a stranger's first minutes, in a repo of contracts and in a service's repo."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from zipfile import ZipFile

import click
import pytest
from click.testing import CliRunner

from contract_test.cli.generate import command as generate_command
from contract_test.cli.init import command
from contract_test.data.errors import CatalogError
from contract_test.files.catalog import load_catalog
from contract_test.files.settings import read_settings
from contract_test.lint.contracts import lint

ROOT = Path(__file__).parents[2]
DEMO = ("--package", "envelopes")
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}


def init(folder, *options):
    return CliRunner().invoke(command, [str(folder), *map(str, options)], standalone_mode=False)


def run(folder, *arguments, python=sys.executable, **environment):
    done = subprocess.run(
        [python, "-m", *map(str, arguments)], cwd=folder, env=ENVIRONMENT | environment, capture_output=True, text=True,
        check=False, timeout=250,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def acme(tmp_path):
    """A repo of contracts as it was begun."""
    folder = tmp_path / "acme"
    result = init(folder)
    assert result.return_value == 0, (result.output, result.exception)
    return folder


def test_an_empty_folder_becomes_a_repo_of_contracts_whose_tests_pass(acme):
    assert not [each for each in lint(acme / "contracts") if each.severity == "error"]
    code, said = run(acme, "pytest", "-q", "-p", "no:cacheprovider", PYTHONPATH=str(acme / "src"))
    assert code == 0, said
    assert "4 passed" in said


def test_a_stale_class_and_a_breaking_version_make_its_tests_red(acme):
    schema = json.loads((acme / "contracts/order.placed/v1.json").read_text())
    schema["required"].append("currency")
    (acme / "contracts/order.placed/v2.json").write_text(json.dumps(schema))
    code, said = run(acme, "pytest", "-q", "-p", "no:cacheprovider")
    assert code == 1
    assert "required-property-added" in said
    assert "stale" in said


def test_a_wheel_that_pip_builds_of_it_has_no_recordings(acme, tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, acme]
    subprocess.run(command, check=True, timeout=250)
    (wheel,) = tmp_path.glob("acme_envelopes-0.0.0-*.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "acme_envelopes/contracts/order.placed/v1.json" in names
    assert not [name for name in names if "recordings" in name]


def test_its_package_in_another_venv_is_all_that_a_service_needs(acme, tmp_path):
    for words in ("register", f"package --version 1.0.0 --out {tmp_path}"):
        program = Path(sys.executable).with_name("contract-test")
        subprocess.run([program, *words.split()], cwd=acme, check=True, timeout=100)
    wheels = sorted(tmp_path.glob("*.whl"))
    shutil.rmtree(acme)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=100)
    python = venv / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        *wheels,
    ]
    subprocess.run(install, check=True, timeout=100)
    (site,) = venv.glob("lib/python*/site-packages")
    # Everything but the wheel comes from the environment of these tests.
    (site / "others.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    service = tmp_path / "billing"
    service.mkdir()
    begin = "from contract_test.cli import main; main()"
    done = subprocess.run(
        [python, "-c", begin, "init", "--service", "billing", "--package", "acme_envelopes"], cwd=service,
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, said = run(service, "pytest", "--contracts", "-p", "no:cacheprovider", python=python)
    assert code == 1, said
    (row,) = [line.split()[1:] for line in said.splitlines() if line.startswith("order.placed  v1")]
    assert row[:2] == ["v1", "consumes"]
    assert "consumes order.placed: not connected to the code of this service yet" in said


@pytest.fixture
def service(tmp_path):
    """A function that makes a service's repo, by the name that its project has."""

    def make(name="feed", more="", ending="\n"):
        folder = tmp_path / "service"
        folder.mkdir()
        text = f'[project]\nname = "{name}"\nversion = "1"\n{more}'
        (folder / "pyproject.toml").write_bytes(text.replace("\n", ending).encode())
        return folder

    return make


@pytest.mark.parametrize(("name", "tests"), [("feed", 4), ("transport", 1)])
def test_a_service_gets_its_settings_and_one_test_that_waits_for_its_code_for_each_operation(service, name, tests):
    folder = service(name)
    before = (folder / "pyproject.toml").read_text()
    result = init(folder, *DEMO)
    assert result.return_value == 0, (result.output, result.exception)
    assert (folder / "pyproject.toml").read_text().startswith(before)
    settings = read_settings(folder)[0]
    assert (settings.service, settings.package, settings.strict) == (name, "envelopes", True)
    text = (folder / "tests" / "test_contracts.py").read_text()
    assert text.count("@pytest.mark.") == tests
    code, said = run(folder, "pytest", "--contracts", "-p", "no:cacheprovider")
    assert code == 1, said
    assert said.count("not connected to the code of this service yet") >= tests, "nobody takes these for real tests"
    assert not (folder / ".contract-test" / "readers").exists()
    assert ('caused_by="message.liked"' in text) == (name == "feed")
    assert text.count("def contract_state()") == 1, "both channels declare their delivery"


@pytest.mark.parametrize(
    ("recorded", "caused_by"),
    [
        ("as it is", ["message.liked"]),
        ("without causes", ["message.posted"]),  # what the service receives first
        ("nothing", ["message.posted"]),
        ("two causes", ["message.liked", "message.posted"]),
    ],
)
def test_where_the_catalog_says_what_names_the_cause_the_test_asks_for_it(service, tmp_path, recorded, caused_by):
    contracts = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", contracts)
    effects = contracts / "delivery.requested" / "recordings" / "v1.jsonl"
    if recorded == "without causes":
        shutil.rmtree(contracts / "message.liked" / "recordings")
    elif recorded == "nothing":
        effects.unlink()
    elif recorded == "two causes":
        first, *rest = effects.read_text().splitlines(keepends=True)
        posted = json.loads((contracts / "message.posted/recordings/v1.jsonl").read_text().splitlines()[0])
        cause = json.loads(first)["payload"]["args"][0]["data"]["caused_by"]
        effects.write_text("".join([first.replace(cause, posted["payload"]["id"]), *rest]))
    folder = service()
    assert init(folder, *DEMO, "--contracts", contracts).return_value == 0
    text = (folder / "tests" / "test_contracts.py").read_text()
    assert re.findall(r'produces\("delivery.requested", caused_by="(.+)"\)', text) == caused_by


def test_its_own_tests_are_well_formed_for_ruff(service):
    folder = service()
    init(folder, *DEMO)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=120", "--check", folder / "tests"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("which", ["service", "contracts"])
def test_a_second_time_nothing_is_written(which, service, acme):
    folder = acme
    if which == "service":
        folder = service()
        init(folder, *DEMO)
    before = contents(folder)
    result = init(folder)
    assert result.return_value == 0
    assert result.stdout == ""
    assert contents(folder) == before


def test_contracts_that_stand_there_get_the_rest_and_no_example(tmp_path):
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    (tmp_path / "README.md").write_text("Ours.")
    before = contents(tmp_path)
    assert init(tmp_path, "--package", "ours").return_value == 0
    assert before.items() <= contents(tmp_path).items()
    assert not (tmp_path / "contracts" / "order.placed").exists()
    assert (tmp_path / "src" / "ours" / "messages" / "message_liked_v2.py").is_file()


def test_a_file_of_tests_is_left_alone_and_what_is_missing_in_it_is_shown(service):
    folder = service()
    path = folder / "tests" / "test_contracts.py"
    path.parent.mkdir()
    path.write_text("import pytest\n\n@pytest.mark.consumes('message.liked')\ndef test_likes(message): ...\n")
    before = path.read_bytes()
    result = init(folder, *DEMO)
    assert result.return_value == 1
    assert path.read_bytes() == before
    assert '@pytest.mark.consumes("message.posted")' in result.stdout
    assert "message.liked" not in result.stdout.replace('caused_by="message.liked"', "")
    path.write_text(path.read_text() + "\n" + init(folder).stdout)  # what is shown can be added as it is
    code, said = run(folder, "pytest", "--contracts", "-p", "no:cacheprovider", "-k", "posted or unliked")
    assert code == 1, said
    assert "not connected to the code of this service yet" in said
    again = init(folder)
    assert again.return_value == 0
    assert "fail until" not in again.stderr, "nothing was written that fails"


def test_generate_knows_the_package_of_a_repo_that_init_began(acme, monkeypatch):
    before = contents(acme)
    monkeypatch.chdir(acme)
    assert CliRunner().invoke(generate_command, [], standalone_mode=False).return_value == 0
    assert CliRunner().invoke(generate_command, ["--check"], standalone_mode=False).return_value == 0
    assert contents(acme) == before


def test_a_service_of_contracts_in_a_directory_gets_the_package_that_stands_beside_them(acme, tmp_path):
    folder = tmp_path / "billing"
    folder.mkdir()
    result = init(folder, "--service", "billing", "--contracts", acme / "contracts")
    assert result.return_value == 0, (result.output, result.exception)
    settings, _ = read_settings(folder)
    assert (settings.package, settings.contracts) == ("acme_envelopes", "../acme/contracts")
    code, said = run(folder, "pytest", "--contracts", "-p", "no:cacheprovider", PYTHONPATH=str(acme / "src"))
    assert code == 1, said
    assert "consumes order.placed: not connected to the code of this service yet" in said


def test_contracts_of_which_the_package_has_no_value_objects_are_named(acme, tmp_path):
    shutil.rmtree(acme / "src")
    folder = tmp_path / "billing"
    folder.mkdir()
    result = init(folder, "--service", "billing", "--contracts", acme / "contracts", *DEMO)
    assert "order.placed v1 is not in the package 'envelopes'" in result.stderr


@pytest.mark.parametrize("package", ["json", "envelopes", "contract_test", "acme-envelopes"])
def test_a_package_that_hides_another_or_is_none_is_refused(tmp_path, package):
    result = init(tmp_path, "--package", package)
    assert isinstance(result.exception, click.BadParameter)
    assert ("'acme_envelopes'" in str(result.exception)) == ("-" in package)
    assert not contents(tmp_path)


def test_a_command_without_its_tools_could_not_run():
    code = "import sys; sys.modules['click'] = None; from contract_test.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 3
    assert "contract-test[tools]" in done.stderr


def test_settings_of_another_service_are_no_guess(service):
    folder = service(more='\n[tool.contract-test]\nservice = "transport"\npackage = "envelopes"\n')
    result = init(folder, "--service", "feed")
    assert isinstance(result.exception, CatalogError)
    assert "'transport'" in str(result.exception)
    assert not (folder / "tests").exists()


@pytest.mark.parametrize(
    "text", ["[project\n", 'tool = {a = 1}\n[project]\nname = "feed"\n', "\ufeffname = 1", "tool = 1\n"]
)
def test_a_pyproject_that_cannot_be_added_to_stays_as_it_is(tmp_path, text):
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    before = path.read_bytes()
    assert isinstance(init(tmp_path, "--service", "feed", *DEMO).exception, CatalogError)
    assert path.read_bytes() == before


def test_lines_end_as_they_did(service):
    folder = service(ending="\r\n")
    init(folder, *DEMO)
    raw = (folder / "pyproject.toml").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert tomllib.loads(raw.decode())["tool"]["contract-test"] == {
        "service": "feed",
        "package": "envelopes",
        "strict": True,
    }


def test_an_unknown_service_is_told_which_there_are(service):
    folder = service("shop")
    unnamed, unknown = init(folder, *DEMO), init(folder, *DEMO, "--service", "shop")
    assert isinstance(unnamed.exception, click.UsageError)
    assert isinstance(unknown.exception, CatalogError)
    assert "feed, transport, web" in str(unnamed.exception)
    assert "--package" in str(unnamed.exception)
    assert "--package names another" in str(unknown.exception)
    assert "feed, transport, web" in str(unknown.exception)


def test_a_service_that_names_no_package_does_not_get_the_demo(service):
    folder = service("feed")
    before = contents(folder)
    result = init(folder)
    assert isinstance(result.exception, click.UsageError)
    assert "--package NAME" in str(result.exception)
    assert contents(folder) == before
    with (folder / "pyproject.toml").open("a") as file:
        file.write('\n[tool.contract-test]\nservice = "feed"\n')
    code, output = run(folder, "pytest", "--contracts", "-p", "no:cacheprovider")
    assert code == 4, output
    assert "no package of value objects is named" in output
    assert 'Add: package = "' in output
    assert "message.liked" not in output


def test_a_folder_with_other_things_is_no_place_to_begin_unasked(tmp_path):
    (tmp_path / "main.go").write_text("")
    assert isinstance(init(tmp_path).exception, click.UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["main.go"]


def test_hostile_names_stay_texts(tmp_path):
    contracts = tmp_path / "contracts"
    (contracts / "a-b").mkdir(parents=True)
    (contracts / "a.b").mkdir()
    for name in ("a-b", "a.b"):
        (contracts / name / "v1.json").write_text('{"type": "object"}')
    evil = '"]\n[tool.evil]\nx = """\\\x1b[2J\u202e'
    rows = json.dumps([evil])
    (contracts / "catalog.toml").write_text(
        f'[subjects."a-b"]\nreceived_by = {rows}\n[subjects."a.b"]\nreceived_by = {rows}\nsent_by = {rows}\n'
    )
    assert load_catalog(contracts).received_by(evil)
    folder = tmp_path / '$package ${x}"'
    folder.mkdir()
    result = init(folder, "--service", evil, "--contracts", contracts, "--package", "acme")
    assert result.return_value == 0, (result.output, result.exception)
    document = tomllib.loads((folder / "pyproject.toml").read_text())
    settings = {"service": evil, "package": "acme", "contracts": "../contracts", "strict": True}
    assert document == {"tool": {"contract-test": settings}}
    text = (folder / "tests" / "test_contracts.py").read_text()
    compile(text, "test_contracts.py", "exec")
    assert [line for line in text.splitlines() if line.startswith("def test")] == [
        "def test_a_b_is_consumed(message):",
        "def test_a_b_is_consumed_2(message):",
        "def test_a_b_is_produced(recorded, emits):",
    ]
    shown = init(folder, "--service", "x", "--contracts", contracts)
    assert isinstance(shown.exception, CatalogError)
    for package in ("a b", "class", "../x", "os;"):
        assert isinstance(init(tmp_path / "new", "--package", package).exception, click.BadParameter)
    assert isinstance(init(tmp_path / "1 2").exception, click.UsageError)
