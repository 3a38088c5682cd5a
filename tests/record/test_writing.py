"""Files are written whole, whoever else writes them and whatever was left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract_test.files.state import write_whole

WRITE_OFTEN = """
import sys
from pathlib import Path
from contract_test.files.state import write_whole
for _ in range(50):
    write_whole(Path(sys.argv[1]), [sys.argv[2].encode() * 1000] * 100)
"""


def test_processes_that_write_one_file_leave_one_whole(tmp_path):
    path = tmp_path / "recordings" / "v1.jsonl"
    write_whole(path, [b"a" * 1000] * 100)
    writers = [subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, path, letter]) for letter in "abc"]
    while any(writer.poll() is None for writer in writers):
        found = path.read_bytes().splitlines()
        assert (len(found), len(set(found))) == (100, 1)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert [each.name for each in path.parent.iterdir()] == ["v1.jsonl"]


def test_what_a_killed_process_left_behind_is_removed_when_nobody_can_be_writing_it(tmp_path, monkeypatch):
    path = tmp_path / "v1.jsonl"
    if (child := os.fork()) == 0:
        monkeypatch.setattr(Path, "replace", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        write_whole(path, [b"half"])
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    write_whole(path, [b"whole"])
    assert left.exists(), "another process may be writing it"
    os.utime(left, (time.time() - 7200,) * 2)
    write_whole(path, [b"whole"])
    assert [each.name for each in tmp_path.iterdir()] == ["v1.jsonl"]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "v1.jsonl"
    write_whole(path, [b"old"])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, [b"new"])
    assert path.read_bytes() == b"old\n"
    assert [each.name for each in tmp_path.iterdir()] == ["v1.jsonl"]
