"""Checks of recordings: each recorded message still satisfies its contract and contains no secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import ContractTestError
from contract_test.data.finding import Finding
from contract_test.data.interaction import Interaction
from contract_test.files.recordings import read_recording, recording_path
from contract_test.lint.scan import scan_files
from contract_test.recordings.messages import data_of, pointer_in_line
from contract_test.recordings.provenance import provenance_of, too_old
from contract_test.schema.declared import field_names, general_pointer
from envelopes.validation import compile_schema, find_violation

MAX_FINDINGS_PER_RECORDING = 5


def check_recording(contract: Contract, catalog: Catalog) -> Iterator[Finding]:
    """Yield what is wrong with the recording of one version; nothing where there is none."""
    path = str(recording_path(contract))
    try:
        interactions = read_recording(contract)
    except ContractTestError as error:
        _, _, line = error.place.rpartition(":")
        yield Finding(path, "", "recording", error.problem, error.advice, line=int(line) if line.isdigit() else 0)
        return
    if not interactions:
        return
    invalid = list(_invalid(contract, catalog, interactions))
    yield from invalid[:MAX_FINDINGS_PER_RECORDING]
    if len(invalid) > MAX_FINDINGS_PER_RECORDING:
        sentence = f"{len(invalid)} of {len(interactions)} recorded messages no longer satisfy {contract.name}"
        yield Finding(path, "", "recording-invalid", sentence, _ADVICE)
    yield from scan_files([recording_path(contract)], catalog)


def old_recordings(contracts: Sequence[Contract], catalog: Catalog, most: timedelta) -> list[Finding]:
    """Return the recordings whose newest message was sent longer ago than that.

    Of those that do not say, nothing is known.
    """
    findings = []
    for contract in contracts:
        try:
            times = [provenance_of(each, catalog).time for each in read_recording(contract)]
        except ContractTestError:
            continue
        found = too_old(times, most)
        if found:
            findings.append(Finding(str(recording_path(contract)), "", "recording-old", *found, "warning"))
    return findings


_ADVICE = "Record the message again, delete the line, or register the change of the contract as a new version."


def _invalid(contract: Contract, catalog: Catalog, interactions: list[Interaction]) -> Iterator[Finding]:
    try:
        validator = compile_schema(contract.resources, f"{contract.uri}#")
    except ValueError:  # the schema's own finding says so
        return
    path, names = str(recording_path(contract)), frozenset(field_names(contract))
    for interaction in interactions:
        channel = catalog.channels.get(interaction.channel)
        if channel is None:
            sentence = f"the channel {interaction.channel!r} is not in the catalog"
            advice = "Declare the channel, or record the message again."
            yield Finding(path, "/channel", "recording-channel", sentence, advice, line=interaction.line)
            continue
        travels = catalog.subjects[contract.subject].all_channels
        if travels and channel not in travels:
            sentence = f"the catalog does not put {contract.subject} on the channel {interaction.channel}"
            advice = "Add it to channels, retry or dead_letter of the subject, or record the message again."
            yield Finding(path, "/channel", "recording-channel", sentence, advice, line=interaction.line)
        try:
            violation = find_violation(validator, data_of(interaction, channel))
        except (LookupError, TypeError):
            sentence = f"the codec {channel.codec} finds no data in the recorded message"
            yield Finding(path, "/payload", "recording-invalid", sentence, _ADVICE, line=interaction.line)
            continue
        if violation is not None:
            sentence = f"the recorded message no longer satisfies {contract.name}: {violation}"
            general = general_pointer(violation.pointer, names)
            yield Finding(
                path,
                violation.pointer,
                "recording-invalid",
                sentence,
                _ADVICE,
                line=interaction.line,
                general_pointer=general,
                file_pointer=pointer_in_line(provenance_of(interaction, catalog).path, violation.pointer),
            )
