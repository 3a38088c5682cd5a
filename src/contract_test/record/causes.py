"""Cause and effect among recorded messages: an effect without its cause cannot be replayed."""

from __future__ import annotations

from contract_test.data.contract import Catalog
from contract_test.data.interaction import Interaction
from contract_test.files.recordings import read_recordings, wire_of
from contract_test.record.validator import ContractsCatalog
from contract_test.recordings.messages import cause_in
from contract_test.scrub.pseudonyms import Pseudonyms
from envelopes import DecodeError


class Causes:
    """The causes that are recorded, and those that recorded messages only name, by their scrubbed ids."""

    def __init__(self, catalog: Catalog, contracts: ContractsCatalog, pseudonyms: Pseudonyms) -> None:
        self._catalog, self._contracts, self._pseudonyms = catalog, contracts, pseudonyms
        self._ids: set[str] = set()
        self._missing: set[str] = set()
        for interaction in read_recordings(catalog):
            self.add(interaction)

    def add(self, interaction: Interaction) -> None:
        """Take note of a recorded message."""
        channel = self._contracts.channels.get(interaction.channel)
        if channel is None:
            return
        try:
            envelope = self._contracts.read(wire_of(interaction), channel)
        except DecodeError:  # replay says what is wrong with it
            return
        if envelope.id is not None:
            self._ids.add(envelope.id)
            self._missing.discard(envelope.id)
        cause = cause_in(envelope, envelope.data.data, self._catalog.subjects[interaction.subject])
        if cause is not None and cause not in self._ids:
            self._missing.add(cause)

    def has(self, name: str) -> bool:
        """Return whether the message of this id, as it stands on the wire, is recorded."""
        return self._pseudonyms.text(name) in self._ids

    def wants(self, name: str) -> bool:
        """Return whether a recorded message names this id as its cause, and nothing recorded has it."""
        return bool(self._missing) and self._pseudonyms.text(name) in self._missing

    @property
    def missing(self) -> int:
        """How many causes are named and not recorded."""
        return len(self._missing)
