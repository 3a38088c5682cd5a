"""Contracts as an AsyncAPI 3.0 document."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contract_test.asyncapi.bindings import channel_bindings, context_of, message_bindings, wrapped
from contract_test.asyncapi.bundled_schemas import SchemaComponents, check_files, keys_for, schema_format
from contract_test.asyncapi.reading import MARK
from contract_test.data.contract import About, Catalog, Channel, Contract, Subject
from contract_test.data.durations import iso_text
from contract_test.data.errors import CatalogError
from contract_test.files.lock import digest
from contract_test.files.schemas import SchemaFiles

VERSION = "3.0.0"
_NOT_IN_AN_ADDRESS = re.compile(r"[{}?#]")
_CHANNEL_EXTRAS = ("protocol", "codec", "mode", "type", "without_data", "delivery", "expires_after")
_SUBJECT_EXTRAS = ("type", "key", "id", "time", "version", "caused_by", "compatibility")

Object = dict[str, Any]


def document_of(catalog: Catalog, folder: Path, *, service: str | None = None, bundled: bool = False) -> Object:
    """Return an AsyncAPI document of all contracts, or of what one service sends and receives.

    Payloads are references to the version files, relative to `folder`, where the document is written. A `bundled`
    document contains the schemas. Raises CatalogError or SchemaError.
    """
    if service is not None and not (catalog.sent_by(service) or catalog.received_by(service)):
        known = ", ".join(catalog.services) or "none"
        problem = f"no subject is sent or received by {service!r}"
        raise CatalogError(problem, place=str(catalog.root / "catalog.toml"), advice=f"Known services: {known}.")
    return _Document(catalog, folder, service, bundled=bundled).whole()


class _Document:
    def __init__(self, catalog: Catalog, folder: Path, service: str | None, *, bundled: bool) -> None:
        self._catalog, self._folder, self._service = catalog, folder, service
        self._subjects = [
            each
            for each in catalog.subjects.values()
            if service is None or service in each.sent_by or service in each.received_by
        ]
        contracts = [contract for _, contract in self._contracts()]
        self._schemas = SchemaComponents(catalog.root, contracts) if bundled else None
        files = SchemaFiles(catalog.root)
        for contract in () if bundled else contracts:
            check_files(contract, files)
        used = {channel.name for subject in self._subjects for channel in subject.all_channels}
        names = [name for name in catalog.channels if service is None or name in used]
        self._channel_keys = dict(zip(names, keys_for(names), strict=True))

    def whole(self) -> Object:
        messages = {_message_key(each): self._message(subject, each) for subject, each in self._contracts()}
        channels = {key: self._channel(name) for name, key in self._channel_keys.items()}
        components: Object = {"messages": messages}
        if self._schemas is not None:
            components["schemas"] = self._schemas.components
            components["x-schema-files"] = self._schemas.files
        else:
            components["x-contracts"] = _relative(self._catalog.root, self._folder)
        return {
            "asyncapi": VERSION,
            MARK: {"format": 1},
            "info": self._info(),
            "defaultContentType": "application/json",
            "channels": channels,
            "operations": self._operations(),
            "components": components,
        }

    def _contracts(self) -> Iterator[tuple[Subject, Contract]]:
        for subject in self._subjects:
            for version in sorted(subject.contracts):
                yield subject, subject.contracts[version]

    def _info(self) -> Object:
        catalog, service = self._catalog, self._service
        digests = "".join(sorted(digest(contract) for _, contract in self._contracts()))
        about = catalog.about_services.get(service or "", About())
        info: Object = {
            "title": service or "Contracts",
            "version": hashlib.sha256(digests.encode()).hexdigest()[:12],
            **_present(description=about.description, tags=_tags(about)),
        }
        if service is not None:
            info["x-service"] = service
        about_services = catalog.about_services.items()
        services = [{"name": name, **_about(each)} for name, each in about_services if service in (None, name)]
        owners = [
            {"name": name, **_present(description=each.description, contacts=_listed(each.contacts))}
            for name, each in catalog.owners.items()
        ]
        return info | _present(**{"x-services": services, "x-owners": owners})

    def _channel(self, name: str) -> Object:
        channel = self._catalog.channels[name]
        about = self._catalog.about_channels.get(name, About())
        retention = self._catalog.retention.get(name)
        own = [
            _message_key(contract)
            for subject, contract in self._contracts()
            if name in (each.name for each in subject.all_channels)
        ]
        address = channel.address
        if channel.protocol == "amqp":  # whose address is the routing key there; the exchange is in the binding
            address = channel.routing_keys[0] if len(channel.routing_keys) == 1 else ""
        plain = bool(address) and not _NOT_IN_AN_ADDRESS.search(address)
        return {
            "address": address if plain else None,
            **_present(description=about.description, tags=_tags(about)),
            "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in own},
            "bindings": channel_bindings(channel),
            "x-name": name,
            **({} if plain and address == channel.address else {"x-address": channel.address}),
            **_channel_extras(channel),
            **_present(**{"x-retention": "" if retention is None else iso_text(retention), **_about_extras(about)}),
        }

    def _message(self, subject: Subject, contract: Contract) -> Object:
        title = contract.schema.get("title") if isinstance(contract.schema, dict) else None
        channel = subject.channel
        payload, data_at = wrapped(self._reference(contract), channel, subject, contract)
        fields = {f"x-{name.replace('_', '-')}": getattr(subject, name) for name in _SUBJECT_EXTRAS}
        without = () if subject.channels else ("sent_by", "received_by")
        channels = {
            **{f"x-{name.replace('_', '-')}": list(getattr(subject, name)) for name in without},
            "x-channels": [each.name for each in subject.channels] if len(subject.channels) > 1 else [],
            "x-retry": [each.name for each in subject.retry],
            "x-dead-letter": [each.name for each in subject.dead_letter],
        }
        return {
            "name": subject.name,
            **_present(title=title if isinstance(title, str) else "", description=subject.about.description),
            **context_of(channel, subject, contract),
            "payload": {"schemaFormat": schema_format(contract.schema), "schema": payload},
            **_present(tags=_tags(subject.about), bindings=message_bindings(channel, subject)),
            "x-subject": subject.name,
            "x-contract-version": contract.version,
            "x-digest": f"sha256:{digest(contract)}",
            **_present(
                **fields,
                **channels,
                **{
                    "x-data-at": data_at,
                    "x-volatile": list(subject.volatile),
                    "x-sends-undeclared": list(subject.sends_undeclared),
                    "x-schema-ids": {str(version): number for version, number in subject.schema_ids.items()},
                },
                **_about_extras(subject.about),
            ),
        }

    def _reference(self, contract: Contract) -> Object:
        bundled = self._schemas
        return {"$ref": bundled.reference(contract) if bundled else _relative(contract.path, self._folder)}

    def _operations(self) -> Object:
        found: list[tuple[str, Object]] = []
        for subject in self._subjects:
            for action, services in (("send", subject.sent_by), ("receive", subject.received_by)):
                for service in services:
                    if self._service in (None, service):
                        found += [
                            (f"{service}.{action}.{subject.name}", self._operation(action, service, subject, channel))
                            for channel in subject.channels
                        ]
        keys = keys_for([name for name, _ in found])
        return dict(zip(keys, (operation for _, operation in found), strict=True))

    def _operation(self, action: str, service: str, subject: Subject, channel: Channel) -> Object:
        place = f"#/channels/{self._channel_keys[channel.name]}"
        versions = [subject.contracts[version] for version in sorted(subject.contracts)]
        return {
            "action": action,
            "channel": {"$ref": place},
            "messages": [{"$ref": f"{place}/messages/{_message_key(each)}"} for each in versions],
            "x-service": service,
        }


def _message_key(contract: Contract) -> str:
    return f"{contract.subject}.v{contract.version}"


def _relative(path: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())


def _channel_extras(channel: Channel) -> Object:
    fields = {f"x-{name.replace('_', '-')}": getattr(channel, name) for name in _CHANNEL_EXTRAS}
    unlike = {"x-mode": "structured", "x-without-data": "reject"}
    return _present(**{name: value for name, value in fields.items() if value != unlike.get(name)}) | _present(
        **{"x-extensions": dict(channel.extensions), "x-routing-keys": list(channel.routing_keys)}
    )


def _about_extras(about: About) -> Object:
    return _present(**{"x-owner": about.owner, "x-domain": about.domain, "x-links": _listed(about.links)})


def _about(about: About) -> Object:
    return _present(owner=about.owner, description=about.description, domain=about.domain, links=_listed(about.links))


def _listed(texts: Mapping[str, str]) -> list[list[str]]:
    """Return named texts as pairs: a tool would take a text that is named `$ref` for a reference."""
    return [[name, text] for name, text in texts.items()]


def _tags(about: About) -> list[Object]:
    return [{"name": name} for name in dict.fromkeys((about.domain, about.owner)) if name]


def _present(**members: Any) -> Object:
    return {name: value for name, value in members.items() if value}
