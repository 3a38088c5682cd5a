"""`contract-test record`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from contract_test.cli.progress import until_interrupted, with_rates
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, max_age_option, note, quiet_decoding, say
from contract_test.cli.source_options import SourceOptions, existing_or_empty, messages_of, nothing_read, source_options
from contract_test.data.contract import Catalog
from contract_test.data.reading import Reading
from contract_test.data.texts import counted
from contract_test.files.quarantine import Quarantine
from contract_test.files.scrub_key import scrub_key
from contract_test.files.state import State
from contract_test.lint.recording_checks import old_recordings
from contract_test.record.recorder import Recorded, Recorder
from contract_test.report.drift import drift_lines, leak_lines
from contract_test.transports.urls import without_password

_SAVE_EVERY = 1000  # messages, and whenever nothing new comes


@click.command("record")
@source_options
@contracts_option
@click.option(
    "--per-shape",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Keep at most this many messages of one shape.",
)
@max_age_option("180d")
def command(source: SourceOptions, contracts: Path, per_shape: int, max_age: timedelta) -> int:
    """Take scrubbed samples of the messages on a channel.

    URL is redis://HOST:PORT/DB, kafka://HOST:PORT, amqp://HOST:PORT/VHOST, a file of JSON Lines, or - for stdin.
    Nothing is popped, committed or changed. Personal data is replaced before anything is written to disk, and only
    messages that show something new are kept. Messages that no contract accepts go to a quarantine in
    contracts/.recorder, and the exit code is 1.
    """
    quiet_decoding()
    catalog = existing_or_empty(contracts, source)
    channel = source.channel_of(catalog)
    address = f"{without_password(source.url)} {channel.address}"
    state = State(contracts, channel.name)
    with state.locked():
        key, notice = scrub_key(contracts)
        note(notice)
        reading = source.reading
        reading.marks = state.marks(address)
        recorder = Recorder(catalog, channel, key, per_shape, Quarantine(state.quarantine, channel.name))
        result = recorder.result
        taken = 0
        messages = messages_of(source, channel, recorder.time_of)
        for message in with_rates(until_interrupted(messages), lambda: _progress(result), reading.limit):
            if message is not None:
                recorder.take(message)
                taken += 1
            if message is None or taken % _SAVE_EVERY == 0:
                _save(recorder, state, address, reading, caught_up=message is None)
        _save(recorder, state, address, reading, caught_up=True)
    for line in reading.notes:
        note(line)
    if result.drift.read == 0 and not reading.marks:
        raise nothing_read(source, address, "nothing was recorded")
    of_channel = [each for each in catalog.contracts if channel in catalog.subjects[each.subject].all_channels]
    for old in old_recordings(of_channel, catalog, max_age):
        note(f"{old.file}: {old.sentence}; {old.advice}")
    return _summary(result, state, catalog)


def _save(recorder: Recorder, state: State, address: str, reading: Reading, *, caught_up: bool) -> None:
    """The recordings first: what is marked as read is on the disk, or had nothing new."""
    recorder.write(caught_up=caught_up)
    if recorder.holds_back and not caught_up:
        return
    if reading.since in (None, "earliest"):  # else something was left out, which a later run may want
        state.write_marks(address, recorder.marks)


def _progress(result: Recorded) -> str:
    drift = result.drift
    kept, shapes = sum(result.kept.values()), counted(result.shapes, "shape")
    dropped = drift.read - drift.drifted - drift.without_data - kept
    empty = f", {drift.without_data} without data" if drift.without_data else ""
    return f"{kept} kept, {dropped} dropped, {shapes}, {drift.drifted} drifted{empty}"


def _summary(result: Recorded, state: State, catalog: Catalog) -> int:
    for path in result.written:
        say(f"wrote {path}")
    for contract, count in sorted(result.kept.items()):
        say(f"{contract}: {count} new")
    for line in drift_lines(result.drift, catalog):
        say(line)
    for place, count in result.unscrubbed.most_common():
        advice = "widen the pattern, or mark the field x-sensitivity: public"
        say(f"not kept: {place}: no longer valid once scrubbed: {counted(count, 'message')}; {advice}")
    for finding, count in result.leaks.most_common():
        for number, line in enumerate(leak_lines(finding, count)):
            say(f"    {line}" if number else line)
    for contract, count in sorted(result.patterns_of_secrets.items()):
        unmarked = f"pseudonyms look like secrets to public scanners: {counted(count, 'field')}"
        say(f"{contract}: {unmarked}; contract-test lint shows the patterns that leave no other form")
    if result.missing_causes:
        missing = counted(result.missing_causes, "cause")
        note(f"recorded messages name {missing} that no recording has: record that channel too")
    if result.quarantined:
        say(f"quarantined, scrubbed: {counted(result.quarantined, 'message')} in {state.quarantine}")
    note(f"{result.drift.read} read, {_progress(result)}")
    return FINDINGS if result.drift.is_red or result.unscrubbed or result.leaks else CLEAN
