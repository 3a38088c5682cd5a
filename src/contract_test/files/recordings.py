"""Recordings: one interaction a line, in canonical JSON, so that a change reads well in a diff."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import RecordingError
from contract_test.data.interaction import Interaction
from contract_test.files.exact_json import exact_dumps, exact_loads, wire
from contract_test.files.state import write_whole
from envelopes import Wire, _json
from envelopes.codecs import CODECS, CodecError
from envelopes.plugins import PluginError

FORMAT = 1
MAX_FIRST_LINE = 1 << 20


def recording_path(contract: Contract) -> Path:
    """Return where a contract's recording stands."""
    return contract.path.parent / "recordings" / f"v{contract.version}.jsonl"


def is_recorded(contract: Contract) -> bool:
    """Return whether there is a recording of a contract with something in it, readable or not."""
    path = recording_path(contract)
    return path.is_file() and bool(path.read_bytes().strip())


def read_recording(contract: Contract) -> list[Interaction]:
    """Read a contract's recording; empty where there is none. Raises RecordingError with the line."""
    path = recording_path(contract)
    if not path.is_file():
        return []
    return read_recording_file(path, contract)


def read_recording_file(path: Path, contract: Contract | None = None) -> list[Interaction]:
    """Read a recording wherever it stands: of a contract, or of the one that each line names.

    Raises RecordingError with the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        advice = "A recording is a file such as contracts/<subject>/recordings/v1.jsonl."
        raise RecordingError(f"cannot be read: {error.strerror}", place=str(path), advice=advice) from None
    return [_read_line(line, contract, path, number) for number, line in enumerate(lines, start=1) if line.strip()]


def is_recording(name: str) -> bool:
    """Return True if the first line of a file is a recorded message."""
    path = Path(name)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        line = next((each for each in iter(lambda: file.readline(MAX_FIRST_LINE), b"") if each.strip()), b"")
    try:
        _read_line(line, None, path, 1)
    except RecordingError:
        return False
    return True


def read_recordings(catalog: Catalog) -> list[Interaction]:
    """Read every recording of a catalog."""
    return [interaction for contract in catalog.contracts for interaction in read_recording(contract)]


def append_recording(contract: Contract, interactions: Iterable[Interaction]) -> Path:
    """Add to a contract's recording at once: a reader sees the old file or the new one, and what stood there stays."""
    path = recording_path(contract)
    old = path.read_bytes().splitlines() if path.is_file() else []
    write_whole(path, [*old, *map(line_of, interactions)])
    return path


def line_of(interaction: Interaction) -> bytes:
    """Return one interaction as its line, without the line's end."""
    values = {
        "format": FORMAT,
        "channel": interaction.channel,
        "subject": interaction.subject,
        "version": interaction.version,
        "key": interaction.key,
        "headers": dict(interaction.headers),
        "prefix": interaction.prefix,
        "codec": interaction.codec,
        "payload": interaction.payload,
        "masked": sorted(interaction.masked),
        "seen": dict(interaction.seen),
    }
    kept = {name: value for name, value in values.items() if value not in (None, "", {}, [])}
    return exact_dumps(kept)


def wire_of(interaction: Interaction) -> Wire:
    """Return the bytes, key and headers of a recorded message. Raises RecordingError."""
    if interaction.codec:
        headers = [(name, value.encode()) for name, value in interaction.headers.items()]
        return Wire(_folded(interaction), interaction.key, headers)
    return wire(interaction.payload, interaction.key, interaction.headers, interaction.prefix)


def _folded(interaction: Interaction) -> bytes:
    try:
        codec = CODECS[interaction.codec]
        folded: bytes = codec.fold(interaction.payload)  # type: ignore[attr-defined] # only layered codecs are named
    except (KeyError, AttributeError, PluginError) as error:
        advice = "Install the package that brings the codec, or record again."
        problem = f"the codec {interaction.codec!r} cannot write it: {error}"
        raise RecordingError(problem, place=interaction.place, advice=advice) from None
    except CodecError as error:
        problem = f"at {error.pointer or '/'}: expected {error.expected}, found {error.found}"
        raise RecordingError(problem, place=interaction.place, advice="Correct the line, or record again.") from None
    return folded


_KINDS: dict[str, tuple[type, str]] = {
    "channel": (str, "a text"),
    "subject": (str, "a text"),
    "version": (int, "a number"),
    "headers": (dict, "an object"),
    "prefix": (str, "a text"),
    "codec": (str, "a text"),
    "masked": (list, "a list"),
    "seen": (dict, "an object"),
}
"""What the members of a line are. Payload and key may be any JSON value."""


def _read_line(line: bytes, contract: Contract | None, path: Path, number: int) -> Interaction:
    place = f"{path}:{number}"
    if number == 1 and line.startswith(codecs.BOM_UTF8):
        raise RecordingError("begins with a byte order mark", place=place, advice="Save it as UTF-8 without one.")
    try:
        values = exact_loads(line)
    except _json.JsonError as error:
        raise RecordingError(f"not JSON: {error}", place=place, advice="Remove the line, or record again.") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise RecordingError(
            f"not an interaction in format {FORMAT}",
            place=place,
            advice="Record again with this version of contract-test.",
        )
    if "reasons" in values:
        advice = "Read the file as it is: a line is a JSON object, with the reasons beside the scrubbed message."
        raise RecordingError("this is a quarantined message, not a recording", place=place, advice=advice)
    for name, (kind, words) in _KINDS.items():
        if name in values and not isinstance(values[name], kind):
            advice = "Remove the line, or record again."
            raise RecordingError(f"{name} is not {words}", place=place, advice=advice)
    try:
        return Interaction(
            channel=values["channel"],
            subject=contract.subject if contract else values["subject"],
            version=contract.version if contract else values["version"],
            payload=values["payload"],
            key=values.get("key"),
            headers=values.get("headers", {}),
            prefix=values.get("prefix", ""),
            codec=values.get("codec", ""),
            masked=tuple(values.get("masked", ())),
            seen=values.get("seen", {}),
            path=path,
            line=number,
        )
    except KeyError as error:
        raise RecordingError(f"{error} is missing", place=place, advice="Remove the line, or record again.") from None
