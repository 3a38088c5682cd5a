"""A team's first day, as a shell script that a user could type: contracts, staging, pull requests, releases, upgrades."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from redis import Redis

from contract_test.transports.embedded import kafka_broker

SCRIPT = Path(__file__).with_name("day.sh")
NEW_VENV = """#!/bin/sh
# A virtual environment in which everything of the tests' environment is installed, besides what a service installs.
{python} -m venv --without-pip .venv
echo "import site; site.addsitedir('{site}')" > .venv/lib/python{version}/site-packages/others.pth
for program in pip contract-test; do
    printf '#!/bin/sh\\nexec "%s/.venv/bin/python" -c "%s" "$@"\\n' "$PWD" "$(cat {programs}/$program)" > .venv/bin/$program
    chmod +x .venv/bin/$program
done
[ ! -d src ] || echo "$PWD/src" > .venv/lib/python{version}/site-packages/src.pth
"""
PROGRAMS = {
    "pip": "from pip._internal.cli.main import main; raise SystemExit(main())",
    "contract-test": "from contract_test.cli import main; main()",
}


@pytest.fixture
def environment(tmp_path, redis_url):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text)
    site, version = sysconfig.get_path("purelib"), f"{sys.version_info.major}.{sys.version_info.minor}"
    new_venv = tmp_path / "bin" / "new-venv"
    new_venv.parent.mkdir()
    new_venv.write_text(NEW_VENV.format(python=sys.executable, site=site, version=version, programs=programs))
    new_venv.chmod(0o755)
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
    identity = {
        f"GIT_{who}_{what}": "kim@library.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    with kafka_broker() as kafka:
        yield identity | {
            "PATH": f"{new_venv.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "NO_COLOR": "1",
            "REMOTE": str(remote),
            "INDEX": str(tmp_path / "index"),
            "STAGING_REDIS": redis_url,
            "STAGING_KAFKA": f"kafka://{kafka.address}",
        }


def test_the_day_of_a_team_with_three_services(environment, tmp_path, redis_url):
    done = subprocess.run(
        ["bash", SCRIPT], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=290,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    steps = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert steps == [
        line.replace('step "', "== ").removesuffix('"')
        for line in SCRIPT.read_text().splitlines()
        if line.startswith('step "')
    ] + ["== The day is over"]
    with Redis.from_url(redis_url) as staging:
        assert staging.llen("mails") == 12, "nothing was taken from the queue"
