"""Nothing is written through a symbolic link that stands in the place of a directory of recordings."""

import pytest

from contract_test.data.errors import RecordingError
from contract_test.files.state import write_whole


def test_a_linked_directory_is_not_written_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "order.placed").mkdir()
    (tmp_path / "order.placed" / "recordings").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="symbolic link"):
        write_whole(tmp_path / "order.placed" / "recordings" / "v1.jsonl", [b"{}"])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_linked_file_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "outside").write_bytes(b"kept")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "v1.jsonl").symlink_to(tmp_path / "outside")
    write_whole(tmp_path / "recordings" / "v1.jsonl", [b"{}"])
    assert (tmp_path / "outside").read_bytes() == b"kept"
    assert (tmp_path / "recordings" / "v1.jsonl").read_bytes() == b"{}\n"
