"""Files are written whole, whoever else writes them and whatever was left behind."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from contract_test.files.state import write_whole

ROUNDS = 50


def write_often(path: Path, letter: bytes) -> None:
    for _ in range(ROUNDS):
        write_whole(path, [letter * 1000] * 100)


def test_processes_that_write_one_file_leave_one_whole(tmp_path):
    path = tmp_path / "recordings" / "v1.jsonl"
    write_whole(path, [b"a" * 1000] * 100)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = path.read_bytes().splitlines()
        assert (len(found), len(set(found))) == (100, 1)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
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
