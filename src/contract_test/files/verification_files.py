"""Results of verifying on disk: one file a process, in JSON, written at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from contract_test.data.errors import NothingFoundError, RecordingError
from contract_test.data.share import Share, merged
from contract_test.files.exact_json import exact_dumps
from contract_test.files.state import write_whole
from envelopes import _json

FORMAT = 1
SUFFIX = ".verify.json"


def write_results(path: Path, shares: Iterable[Share]) -> None:
    """Write a process's result: the old one or the new one is there, never a part."""
    lines = [exact_dumps(share.as_json()) for share in shares]
    write_whole(path, [b'{"format":%d,"shares":[' % FORMAT, b",\n".join(lines), b"]}"])


def read_results(paths: Iterable[Path]) -> tuple[Share, ...]:
    """Read files, and every result in the folders among them. Raises RecordingError, NothingFoundError."""
    files = [
        file
        for path in paths
        for file in (sorted(each for each in path.glob(f"*{SUFFIX}")) if path.is_dir() else [path])
    ]
    if not files:
        advice = f"Name result files, or folders with *{SUFFIX}: `verify … --results DIR` writes them."
        raise NothingFoundError("there are no results to merge", advice=advice)
    return merged(*map(_read, files))


def _read(path: Path) -> list[Share]:
    try:
        value = _json.loads(path.read_bytes())
        shares = [Share.from_json(each) for each in value["shares"]] if value["format"] == FORMAT else None
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", place=str(path), advice="Check the path.") from None
    except (ValueError, TypeError, LookupError, AttributeError):
        shares = None
    if shares is None:
        advice = "Name files that `contract-test verify --results DIR` wrote, with this version of contract-test."
        raise RecordingError(f"not a result in format {FORMAT}", place=str(path), advice=advice)
    return shares
