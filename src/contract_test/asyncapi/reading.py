"""What an AsyncAPI document says, in the words of the catalog: AsyncAPI 3, and 2 turned the right way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_test.asyncapi.bindings import CLOUDEVENTS_JSON
from contract_test.asyncapi.documents import Documents, Located, Place
from contract_test.data.contract import usable_subject
from contract_test.data.errors import ContractTestError
from contract_test.schema.walk import unescape
from envelopes.codecs.cloudevents import split_header

_PROTOCOLS = {"kafka": "kafka", "kafka-secure": "kafka"}
_REDIS_METHODS = {"lpop": "redis-list", "blpop": "redis-list", "rpop": "redis-list", "brpop": "redis-list",
                  "xread": "redis-stream", "xreadgroup": "redis-stream"}  # fmt: skip
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_PARAMETER = re.compile(r"\{[^{}]*\}")
_TURNED = {"publish": "receive", "subscribe": "send"}
"""AsyncAPI 2 says what others may do with a channel: where they subscribe, the service itself sends."""

MARK = "x-contract-test"
"""Tells that a document was exported from contracts, so that its other `x-` keys mean what they mean there."""


@dataclass(frozen=True)
class Message:
    """A message of a document. `described` is the Message Object, whose traits are merged."""

    subject: str
    version: int | None
    described: Located
    content_type: str


@dataclass(frozen=True)
class Operation:
    """A service that sends or receives the messages at some places on a channel."""

    service: str
    action: str
    channel: str
    messages: tuple[Place, ...]
    place: Place


@dataclass
class Description:
    """What a document says. `operations` refer to `messages` by place. `channels` are known by a name of their own."""

    own: bool
    service: str
    whole: Located
    channels: dict[str, Located] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    messages: dict[Place, Message] = field(default_factory=dict)
    on_channels: dict[str, list[Place]] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    refused: list[ContractTestError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def dotted(text: str) -> str:
    """Return a name of letters, digits, dots, hyphens and underscores: `user/signed up` → `user.signed.up`."""
    return _NO_NAME.sub(".", text)[:100].strip("._-")


def describe(documents: Documents, whole: Located, service: str | None = None) -> Description:
    """Read a document. What cannot be read is in `refused`. `service` replaces the name of the service it describes.

    Raises DocumentError if it is no AsyncAPI document of a version that is known.
    """
    version = whole.text("asyncapi")
    if not version.startswith(("2.", "3.")):
        problem = f"asyncapi is {version!r}" if version else "not an AsyncAPI document: it has no text `asyncapi`"
        raise whole.refused(problem, "Versions 2 and 3 are read. Convert an older document first.")
    own = isinstance(whole.get(MARK), dict)
    named = service or (whole.text("info", "x-service") if own else "") or dotted(whole.text("info", "title").lower())
    description = Description(own, named or "service", whole)
    reader = _Reader(documents, description)
    (reader.read_2 if version.startswith("2.") else reader.read_3)()
    return description


class _Reader:
    def __init__(self, documents: Documents, description: Description) -> None:
        self._documents, self._found, self._whole = documents, description, description.whole
        self._channel_names: dict[Place, str] = {}

    def read_3(self) -> None:
        for key, message in self._each(self._whole, "components", "messages"):
            self._message(message, str(key))
        for key, channel in self._each(self._whole, "channels"):
            name = self._channel(channel, str(key), channel.text("address"))
            for message_key, message in self._each(channel, "messages"):
                if self._message(message, str(message_key)):
                    self._found.on_channels[name].append(message.place)
        for key, operation in self._each(self._whole, "operations"):
            action = operation.text("action")
            if action not in ("send", "receive"):
                refusal = operation.refused(f"action is {operation.get('action')!r}", "Write send or receive.")
                self._found.refused.append(refusal)
                continue
            self._operation_3(operation, str(key), action)
            if isinstance(operation.get("reply"), dict):
                reply = self._documents.member(operation, "reply")
                self._operation_3(reply, f"{key}.reply", "receive" if action == "send" else "send")

    def _operation_3(self, operation: Located, key: str, action: str) -> None:
        try:
            channel = self._documents.member(operation, "channel")
        except ContractTestError as error:
            self._found.refused.append(error)
            return
        name = self._channel_names.get(channel.place)
        if name is None:
            if channel.value is not None:
                problem = f"the operation {key!r} uses it, and it is not in channels"
                self._found.refused.append(channel.refused(problem, "Add it there."))
            return
        listed = operation.get("messages") is not None
        messages = self._each(operation, "messages") if listed else self._each(channel, "messages")
        known = tuple(message.place for _, message in messages if self._message(message, key))
        self._add(action, name, known, operation)

    def read_2(self) -> None:
        turned = 0
        for address, channel in self._each(self._whole, "channels"):
            name = self._channel(channel, str(address), str(address))
            for old, action in _TURNED.items():
                operation = self._documents.member(channel, old)
                if operation.value is None:
                    continue
                turned += 1
                one_of = isinstance(operation.get("message", "oneOf"), list)
                steps = ("message", "oneOf") if one_of else ("message",)
                messages = (
                    self._each(operation, *steps) if one_of else [("", self._documents.member(operation, *steps))]
                )
                hint = operation.text("operationId") or f"{address}.{old}"
                known = tuple(message.place for _, message in messages if self._message(message, hint))
                self._found.on_channels[name] += [each for each in known if each not in self._found.on_channels[name]]
                self._add(action, name, known, operation)
        for key, message in self._each(self._whole, "components", "messages"):
            self._message(message, str(key))
        if turned:
            self._found.notes.append(
                f"{self._whole.place}: AsyncAPI 2 says what others do with a channel. `publish` was read as: "
                f"{self._found.service} receives, and `subscribe` as: {self._found.service} sends"
            )

    def _each(self, around: Located, *steps: str | int) -> Iterator[tuple[str | int, Located]]:
        """Yield the members at a path, through references. Those that lead nowhere are refused."""
        try:
            holder = self._documents.member(around, *steps)
        except ContractTestError as error:
            self._found.refused.append(error)
            return
        value = holder.value
        for name in range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ():
            try:
                member = self._documents.member(holder, name)
            except ContractTestError as error:
                self._found.refused.append(error)
                continue
            if isinstance(member.value, dict):
                yield name, member
            elif not str(name).startswith("x-"):
                self._found.refused.append(member.refused("it is not an object", "Write an object, or remove it."))

    def _channel(self, channel: Located, key: str, address: str) -> str:
        own = self._found.own
        name = channel.text("x-name") if own else dotted(key) or f"channel.{len(self._channel_names) + 1}"
        name = name or key
        while name in self._found.channels:
            name += "-"
        self._channel_names[channel.place] = name
        self._found.channels[name] = channel
        self._found.addresses[name] = (own and channel.text("x-address")) or _PARAMETER.sub("*", address)
        self._found.on_channels[name] = []
        return name

    def _message(self, message: Located, hint: str) -> bool:
        """Take a message, if it was not taken. Return False if it is refused."""
        known = self._found.messages
        if message.place in known:
            return True
        if any(error.place == str(message.place) for error in self._found.refused):
            return False
        described = self._with_traits(message)
        if described.get("payload") is None and not isinstance(message.value, dict):
            self._found.refused.append(message.refused("no message", "Describe the message there."))
            return False
        own = self._found.own
        parent, _, last = message.place.pointer.rpartition("/")
        key = unescape(last) if parent.endswith("/messages") else hint
        given = described.text("name") or described.text("messageId") or key
        subject = (described.text("x-subject") if own else "") or usable_subject(dotted(given) or "message")
        version = described.get("x-contract-version") if own else None
        content_type = described.text("contentType") or self._whole.text("defaultContentType")
        known[message.place] = Message(subject, version if isinstance(version, int) else None, described, content_type)
        return True

    def _with_traits(self, message: Located) -> Located:
        merged: dict[str, Any] = {}
        for _, trait in self._each(message, "traits"):
            merged |= trait.value
        return Located({**merged, **(message.value or {})}, message.place) if merged else message

    def _add(self, action: str, channel: str, messages: Sequence[Place], operation: Located) -> None:
        service = (self._found.own and operation.text("x-service")) or self._found.service
        self._found.operations.append(Operation(service, action, channel, tuple(messages), operation.place))


def protocol_of(documents: Documents, description: Description, channel: Located) -> str:
    """Return the protocol of a channel as the document calls it; empty if it does not."""
    if description.own:
        return channel.text("x-protocol")
    named = channel.get("servers")
    servers = dict(documents.members(description.whole, "servers"))
    if isinstance(named, list) and named:
        picked = [servers[each] if isinstance(each, str) and each in servers else None for each in named]
        listed = [each or documents.member(channel, "servers", index) for index, each in enumerate(picked)]
    else:
        listed = list(servers.values())
    protocols = dict.fromkeys(each.text("protocol").lower() for each in listed if each.text("protocol"))
    bindings = channel.get("bindings")
    found = next(iter(protocols or (bindings if isinstance(bindings, dict) else ())), "")
    if found.startswith("redis"):
        method = str(channel.get("bindings", "redis", "method")).lower()
        return _REDIS_METHODS.get(method, found)
    return _PROTOCOLS.get(found, found)


def exchange_of(channel: Located) -> str:
    """Return the name of the exchange that an AMQP channel's address is a routing key of; empty if it has none."""
    binding = channel.get("bindings", "amqp")
    if not isinstance(binding, dict) or binding.get("is", "routingKey") != "routingKey":
        return ""
    name = channel.text("bindings", "amqp", "exchange", "name")
    return "" if "*" in name else name


def codec_of(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the codec of the messages on a channel, and its mode."""
    if any(each.content_type.startswith(CLOUDEVENTS_JSON) for each in messages):
        return "cloudevents", "structured"
    headers = [each.described.get("headers", "properties") for each in messages]
    names = [set(map(split_header, each)) for each in headers if isinstance(each, dict)]
    if any({(prefix, "id"), (prefix, "type")} <= each for each in names for prefix, _ in each if prefix):
        return "cloudevents", "binary"
    return "json", "structured"
