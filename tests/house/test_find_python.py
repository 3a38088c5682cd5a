"""`make` picks a Python by running it, and says what to install where none will do."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "find-python"
IS_A_SHIM_WITH_NOTHING_BEHIND_IT = "#!/bin/sh\necho command not found >&2; exit 127\n"
HAS_NO_VENV = '#!/bin/sh\ncase "$*" in *venv*) exit 1;; --version) echo Python 3.11.2;; *) echo 3.11;; esac\n'
IS_TOO_OLD = "#!/bin/sh\nexit 1\n"


def runs(version: str) -> str:
    return f'#!/bin/sh\ncase "$*" in *venv*) ;; *) echo {version};; esac\n'


def find(path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    for name, text in programs.items():
        program = path / name.replace("_", ".")
        program.write_text(text)
        program.chmod(0o755)
    return subprocess.run(["/bin/sh", SCRIPT], env={"PATH": str(path)}, capture_output=True, text=True, check=False)


def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [each.split()[-1] for each in project["classifiers"] if re.search(r":: 3\.\d", each)]


def test_the_newest_that_runs_is_chosen(tmp_path: Path) -> None:
    found = find(
        tmp_path, python3_13=IS_A_SHIM_WITH_NOTHING_BEHIND_IT, python3_12=runs("3.12"), python3_11=runs("3.11")
    )
    assert found.stdout == "python3.12\n"
    assert found.stderr == ""


@pytest.mark.parametrize("name", ["python3_15", "python3", "python"])
def test_a_newer_one_than_was_tested_is_chosen_and_named(tmp_path: Path, name: str) -> None:
    found = find(tmp_path, **{name: runs("3.15")})
    assert found.stdout == f"{name.replace('_', '.')}\n"
    assert f"The tests ran on Python {' '.join(declared())}, not on 3.15." in found.stderr


def test_the_pythons_that_the_tests_ran_on_are_those_of_the_package_and_of_make() -> None:
    assert f'tested="{" ".join(declared())}"' in SCRIPT.read_text()
    assert f"for version in {' '.join(declared())};" in (ROOT / "Makefile").read_text()


def test_one_that_is_too_old_is_not_chosen(tmp_path: Path) -> None:
    found = find(tmp_path, python3=IS_TOO_OLD, python=runs("3.11"))
    assert found.stdout == "python\n"


def test_one_that_can_make_an_environment_is_preferred_to_a_newer_one(tmp_path: Path) -> None:
    found = find(tmp_path, python3_13=HAS_NO_VENV, python3=runs("3.12"))
    assert found.stdout == "python3\n"


def test_without_venv_it_says_what_to_install(tmp_path: Path) -> None:
    found = find(tmp_path, python3=HAS_NO_VENV)
    assert found.returncode == 1
    assert "Python 3.11.2 is here" in found.stderr
    assert "apt-get install python3-venv" in found.stderr


def test_without_a_python_it_says_what_to_install(tmp_path: Path) -> None:
    found = find(tmp_path)
    assert found.returncode == 1
    assert "apt-get install python3 python3-venv" in found.stderr
