"""What services and CI use runs without the modules and functions that only POSIX has. Nobody has run it on Windows yet.

A run under Linux cannot show that all is well on Windows. It shows that nothing is imported or called that is not there.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
POSIX_MODULES = ["crypt", "fcntl", "grp", "nis", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"]
POSIX_NAMES = {
    "os": {
        "WNOHANG", "chown", "chroot", "ctermid", "fchdir", "fchown", "fdatasync", "fork", "forkpty", "geteuid",
        "getegid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority", "getresuid", "getsid",
        "getuid", "initgroups", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "pipe2", "posix_spawn",
        "pread", "preadv", "pwrite", "pwritev", "sched_getaffinity", "sched_yield", "sendfile", "seteuid", "setgid",
        "setpgid", "setsid", "setuid", "sync", "sysconf", "tcgetpgrp", "ttyname", "uname", "wait", "wait3", "wait4",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1",
        "SIGUSR2", "alarm", "getitimer", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait",
    },
}  # fmt: skip
ONLY_FOR_EMBEDDED_SERVERS = {"contract_test/transports/processes.py"}

MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
BEGIN = f"import sys\nfor name in {POSIX_MODULES}:\n    sys.modules[name] = None\n"
COMMAND = f"{BEGIN}from contract_test.cli import main\nmain()"
PYTEST = f"{BEGIN}import pytest\nsys.exit(pytest.main(sys.argv[1:]))"


def posix_only(path: Path) -> set[str]:
    """Return the names in a module that exist on POSIX alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in POSIX_NAMES.get(node.value.id, ()):
                found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            found |= {
                f"{node.module}.{name.name}"
                for name in node.names
                if name.name in POSIX_NAMES.get(node.module or "", ())
            }
            found |= {node.module} & set(POSIX_MODULES)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & set(POSIX_MODULES)
    return found


def test_only_what_runs_embedded_servers_uses_what_posix_alone_has() -> None:
    found = {name: names for name in MODULES if (names := posix_only(SOURCE / name))}
    assert found.keys() == ONLY_FOR_EMBEDDED_SERVERS, found


def run(folder: Path, script: str, *arguments: str) -> str:
    """Run in a pipe with a code page, as on Windows; return what was printed."""
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=folder, env=environment, capture_output=True, check=False,
        timeout=200,
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode("utf-8", errors="replace")
    assert done.returncode in {0, 1}, said
    assert "Traceback" not in said
    return f"exit code {done.returncode}\n{said}"


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    assert run(folder, COMMAND, "init", "--package", "acme_envelopes").startswith("exit code 0")
    return folder


def test_the_commands_of_ci_run_without_what_posix_alone_has(acme: Path) -> None:
    """With a field whose name is in no code page."""
    path = acme / "contracts" / "order.placed" / "v1.json"
    schema = json.loads(path.read_text())
    schema.pop("examples")
    schema["required"].append("注文")
    schema["properties"]["注文"] = {"type": "string", "maxLength": 20}
    path.with_name("v2.json").write_text(json.dumps(schema))
    assert "0 errors" in run(acme, COMMAND, "lint")
    assert "order_placed_v2.py" in run(acme, COMMAND, "generate")
    assert run(acme, COMMAND, "generate", "--check").startswith("exit code 0")
    for form in ("text", "junit", "github", "json", "sarif"):
        said = run(acme, COMMAND, "compat", "--format", form)
        assert said.startswith("exit code 1"), said
        assert "注文" in said or form in {"json", "sarif"}


def test_a_service_replays_without_what_posix_alone_has(acme: Path) -> None:
    service = acme / "billing"
    service.mkdir()
    run(service, COMMAND, "init", "--service", "billing", "--package", "acme_envelopes", "--contracts", "../contracts")
    (service / "src").symlink_to(acme / "src")
    (service / "billing.py").write_text("def title(order):\n    return order.order_id\n")
    tests = service / "tests" / "test_contracts.py"
    tests.write_text(
        tests.read_text().replace(
            'not_connected("consumes order.placed")', 'assert __import__("billing").title(message)'
        )
    )
    said = run(service, PYTEST, "--contracts", "-p", "no:cacheprovider")
    assert said.startswith("exit code 0"), said
    assert "order.placed  v1       consumes" in said
