"""The results of one share of a run: `pytest --contracts-partial` writes them, `merge-results` adds them up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contract_test.data.errors import CatalogError, NothingFoundError, RecordingError
from contract_test.data.texts import listed
from contract_test.files.exact_json import exact_dumps
from contract_test.files.lock import digest
from contract_test.files.recordings import is_recorded, recording_path
from contract_test.files.state import write_whole
from contract_test.replay.cases import Replay
from contract_test.replay.completeness import Scope
from contract_test.replay.results import ItemReport, as_json, from_json
from contract_test.replay.selection import Selection
from envelopes import _json

FORMAT = 1
FILE = "results.json"


@dataclass
class RunShare:
    """What one job ran, and what became of it. `content` stands for the contracts and recordings that it used."""

    service: str
    content: str
    scope: Scope
    selection: Selection
    results: list[ItemReport] = field(default_factory=list)


def content_of(replay: Replay) -> str:
    """Return a digest of the contracts and recordings that concern a service."""
    found = hashlib.sha256()
    for subject in replay.subjects:
        for contract in subject.contracts.values():
            found.update(f"{contract.name}\n{digest(contract)}\n".encode())
            found.update(recording_path(contract).read_bytes() if is_recorded(contract) else b"")
    return found.hexdigest()[:16]


def write_share(path: Path, share: RunShare) -> None:
    """Write the results of a share: the old file or the new one is there, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "format": FORMAT,
        "service": share.service,
        "content": share.content,
        "deliveries": share.scope.deliveries,
        "generated": share.scope.generated,
        "selection": share.selection.as_json(),
        "results": as_json(share.results),
    }
    write_whole(path, [exact_dumps(document)])


def merge_shares(paths: Iterable[Path], replay: Replay) -> RunShare:
    """Read the results of all jobs and add them up. Raises NothingFoundError, RecordingError or CatalogError."""
    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not files:
        advice = "Name the files that `pytest --contracts --contracts-partial --contracts-results FILE` wrote."
        raise NothingFoundError("there are no results to merge", advice=advice)
    shares = [_read(path) for path in files]
    _check_same(files, shares, replay)
    scope = Scope(
        deliveries=any(each.scope.deliveries for each in shares), generated=any(each.scope.generated for each in shares)
    )
    whole = RunShare(replay.service, content_of(replay), scope, Selection())
    for share in shares:
        whole.selection.add(share.selection)
        whole.results += share.results
    return whole


def _check_same(files: Sequence[Path], shares: Sequence[RunShare], replay: Replay) -> None:
    """Raise CatalogError where a share belongs to another service, or to other contracts."""
    others = [str(path) for path, each in zip(files, shares, strict=True) if each.service != replay.service]
    if others:
        raise CatalogError(
            f"results of another service than {replay.service!r}: {listed(others)}",
            advice="Merge the results of one service at a time, in its folder.",
        )
    content = content_of(replay)
    others = [str(path) for path, each in zip(files, shares, strict=True) if each.content != content]
    if others:
        raise CatalogError(
            f"results of other contracts or recordings than those in {replay.catalog.root}: {listed(others)}",
            advice="Run every job, and merge the results, with the same version of the contracts.",
        )


def _read(path: Path) -> RunShare:
    try:
        value: Any = _json.loads(path.read_bytes())
        if value["format"] == FORMAT:
            scope = Scope(deliveries=bool(value["deliveries"]), generated=bool(value["generated"]))
            selection, results = Selection.from_json(value["selection"]), from_json(value["results"])
            return RunShare(str(value["service"]), str(value["content"]), scope, selection, results)
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", place=str(path), advice="Check the path.") from None
    except (ValueError, TypeError, LookupError, AttributeError, ValidationError):
        pass
    raise RecordingError(
        f"not the results of a share in format {FORMAT}",
        place=str(path),
        advice="Name files that `pytest --contracts --contracts-partial --contracts-results FILE` wrote.",
    )
