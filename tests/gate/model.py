"""A model of services that are deployed and rolled back while messages are in flight, with real value objects.

Time goes on in hours. A service version pins some versions of its subjects and emits some of them. Whatever was sent
stays in flight for the time of the channel, of its retries and of its dead letters, and is then gone. Some messages are
delayed: they stand longer than any retention, and are counted. Readers get the bytes that a real value object wrote, read
them with the real `decode` of what they pin, and handle what they read: some handlers read a field that an old version
does not have, and some bring the message to the newest version.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog
from contract_test.data.deployment import Deployment, FailedMessage, ServiceVersion, Verification, VerifiedOperation
from contract_test.data.result import PinnedContract, Upcast
from contract_test.data.verdict import ABSENT
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import digest
from contract_test.files.proof_cache import ProofCache
from contract_test.gate.answer import Answer, Gate
from contract_test.gate.decision import Check, Standing, Surroundings
from contract_test.gate.evidence import Evidences
from contract_test.gate.proofs import Written
from contract_test.gate.timeline import horizon_of, timeline_of
from envelopes import EnvelopesError
from envelopes._decoding import decode_message
from envelopes.catalog import Catalog as Runtime

START = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECTS = ("a.sent", "b.sent", "c.sent")
SERVICES = ("web", "feed", "mail", "stats")
VERSIONS = 5
TYPES: tuple[Any, ...] = (
    {"type": "integer"},
    {"type": "string"},
    {"type": ["integer", "string"]},
    {"type": ["integer", "null"]},
    {"type": "integer", "minimum": 0},
    {"type": "string", "maxLength": 3},
    {"enum": ["x", "y"]},
    {"enum": ["x", "y", "z"]},
    {"type": "boolean"},
    {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
    {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    {"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "string"}}},
)
VALUES: tuple[Any, ...] = (0, -1, 7, "", "x", "y", "z", "longer", True, None, [], [1], [1, 2, 3], {}, {"n": 1}, {"m": "q"}, {"n": 1, "m": "q"})  # fmt: skip
NAMES = ("p", "q", "r")


def evolved(schema: dict, chance: random.Random) -> dict:
    """A schema after one or two changes such as people make."""
    made = json.loads(json.dumps(schema))
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(NAMES)
        change = chance.random()
        if change < 0.45:
            made["properties"].setdefault(name, chance.choice(TYPES))
        elif change < 0.7:
            made["properties"][name] = chance.choice(TYPES)
        elif change < 0.85:
            made["required"] = sorted({*made["required"], name} & {*made["properties"], "id"})
        elif change < 0.95:
            made["required"] = [each for each in made["required"] if each != name]
        else:
            made["properties"].pop(name, None)
            made["required"] = [each for each in made["required"] if each != name]
    return made


def write_contracts(root: Path, chance: random.Random) -> None:
    """Three subjects with five versions each, sent and received by random services."""
    text = ""
    for number, subject in enumerate(SUBJECTS):
        senders, receivers = (chance.sample(SERVICES, chance.choice((1, 2))) for _ in range(2))
        codec = chance.choice(("cloudevents", "cloudevents", "json"))
        kept = chance.choice(('retention = "PT5H"', 'retention = "PT40H"', 'expires_after = "PT9H"', ""))
        text += f'[channels.c{number}]\nprotocol = "redis-list"\naddress = "c{number}"\ncodec = "{codec}"\n{kept}\n'
        copies = [each for each in ("retry", "dead_letter") if chance.random() < 0.4]
        for each in copies:
            text += (
                f'[channels.{each}{number}]\nprotocol = "redis-list"\naddress = "{each}{number}"\ncodec = "{codec}"\n'
            )
            text += f'retention = "PT{chance.choice((4, 60))}H"\n'
        text += f'[subjects."{subject}"]\nchannel = "c{number}"\nid = "/id"\n'
        text += f"sent_by = {json.dumps(senders)}\nreceived_by = {json.dumps(receivers)}\n"
        text += "".join(f'{each} = "{each}{number}"\n' for each in copies)
        schema: dict = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
        (root / subject).mkdir(parents=True)
        for version in range(1, VERSIONS + 1):
            schema = evolved(schema, chance)
            (root / subject / f"v{version}.json").write_text(json.dumps(schema))
    (root / "catalog.toml").write_text(text)


@dataclass(frozen=True)
class Universe:
    """Contracts with the package that was generated from them."""

    catalog: Catalog
    runtime: Runtime

    def wire(self, subject: str, version: int, data: Any) -> bytes:
        """The bytes of a message, written by the value object of its version. Raises where it cannot be one."""
        payload = json.loads(self.runtime.value_object(subject, version).from_value(data).to_json())
        if self.catalog.subjects[subject].channels[0].codec == "json":
            return json.dumps(payload).encode()
        schema = self.catalog.subjects[subject].contracts[version].dataschema
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "/s",
            "type": subject,
            "dataschema": schema,
            "data": payload,
        }
        return json.dumps(event).encode()

    def messages(self, subject: str, version: int) -> list[bytes]:
        """Messages that a version allows and that hold declared fields only."""
        contract = self.catalog.subjects[subject].contracts[version]
        accepts = self.runtime.value_object(subject, version).__contract__.validator.is_valid
        found: list[dict] = [{"id": "1"}]
        for name, schema in contract.schema["properties"].items():
            if name == "id":
                continue
            declared = set(schema.get("properties", ("n", "m")))
            values = [each for each in VALUES if not isinstance(each, dict) or set(each) <= declared]
            found = [each | extra for each in found for extra in ({}, *({name: value} for value in values))]
            found = [each for each in found if accepts_so_far(contract.schema, each)]
            random.Random(len(found)).shuffle(found)
            found = found[:60]
        return [self.wire(subject, version, each) for each in found if accepts(each)]

    def reader(self, pinned: Mapping[str, frozenset[int]]) -> Runtime:
        """What a service reads with that pins only some versions."""
        subjects = [
            replace(
                each,
                versions={number: place for number, place in each.versions.items() if number in pinned[each.name]},
                dataschemas={number: uri for number, uri in each.dataschemas.items() if number in pinned[each.name]},
            )
            for each in self.runtime.subjects.values()
        ]
        return Runtime(self.runtime.package, self.runtime.channels.values(), subjects)


def accepts_so_far(schema: dict, message: dict) -> bool:
    """Whether the fields that are there are allowed, whatever is missing."""
    from jsonschema_rs import is_valid

    return is_valid({"properties": schema["properties"]}, message)


@dataclass(frozen=True)
class Built:
    """What a service version pins and emits, by subject, and how it handles what it receives.

    `reads` is a field that its handler takes out of every message; "" reads nothing but what the class has, and "newest"
    brings the message to the newest version that is pinned.
    """

    of: ServiceVersion
    pinned: Mapping[str, frozenset[int]]
    emits: Mapping[str, tuple[int, ...]]
    reads: str = ""


class Model:
    """One system. `step` lets an hour go by, with what people and services do in it."""

    def __init__(self, universe: Universe, seed: int) -> None:
        self.universe, self.chance = universe, random.Random(seed)
        self.hour = self.rollbacks = self.handled = 0
        self.built: dict[ServiceVersion, Built] = {}
        self.deployments: list[Deployment] = []
        self.running: dict[str, list[ServiceVersion]] = {}
        self.in_flight: dict[tuple[str, int], int] = {}
        """Subject and version → the hour in which it was last sent."""
        self.last_sent: dict[tuple[ServiceVersion, str, int], int] = {}
        self.delayed: dict[tuple[str, int], int] = {}
        """Subject and version → the hour in which such a message is read, after all this time."""
        self._runtime: dict[ServiceVersion, Runtime] = {}
        self._problems: dict[tuple[ServiceVersion, bytes], str] = {}
        self._known: dict[ServiceVersion, list[Verification]] = {}
        self._messages: dict[tuple[str, int], list[bytes]] = {}
        catalog = universe.catalog
        self.evidences = Evidences(catalog, self._verifications, ProofCache(None))

    @property
    def now(self) -> datetime:
        return START + timedelta(hours=self.hour)

    def gate(self) -> Gate:
        subjects = self.universe.catalog.subjects.values()
        horizons = {each.name: horizon_of(self.universe.catalog, each, {}) for each in subjects}
        contents = {each: self.universe.catalog.subjects[each[0]].contracts[each[1]] for each in self.delayed}
        standing = [Standing(Written(*each, digest(of)), 1, "delayed jobs") for each, of in contents.items()]
        around = Surroundings(self.evidences, self.now, horizons, standing)
        return Gate(timeline_of("prod", self.deployments), around, self._newest)

    def step(self) -> Iterator[tuple[Answer, str]]:
        """Let an hour go by. Yield each answer of the gate, with what the model shows of a `no`: "" if it shows it."""
        self.hour += 1
        self._send()  # what is stopped in this hour has sent in it
        rolling = [service for service, versions in self.running.items() if len(versions) > 1]
        for service in rolling:
            if self.chance.random() < 0.5:
                self._end_rollout(service)
        action = self.chance.random()
        if action < 0.65:
            yield from self._deploy()
        elif action < 0.75 and self.running:
            self._roll_back(self.chance.choice(sorted(self.running)))
        elif action < 0.8 and self.running:
            self._undeploy(self.chance.choice(sorted(self.running)))
        self._send()
        self._read_everything()

    # What people do

    def _roll_back(self, service: str) -> None:
        """Go back, at once, to the version that the gate names; or, during a rollout, abort it."""
        if len(self.running[service]) > 1:
            return
        found = self.gate().rollback(service)
        if found.target is not None:
            self.rollbacks += 1
            self._start(found.target, whole=True)

    def _deploy(self) -> Iterator[tuple[Answer, str]]:
        catalog = self.universe.catalog
        service = self.chance.choice([each for each in SERVICES if catalog.sent_by(each) or catalog.received_by(each)])
        if len(self.running.get(service, ())) > 1:
            return
        known = [each for each in self.built if each.service == service]
        candidate = self.chance.choice(known) if known and self.chance.random() < 0.3 else self._build(service)
        if not self.deployments:
            self._start(candidate)  # the first day: the gate knows nothing yet
            return
        answer = self.gate().answer(candidate)
        yield answer, self._unshown(answer)
        if answer.status == "no" and self._build_reader(answer):
            answer = self.gate().answer(candidate)
            yield answer, self._unshown(answer)
        if answer.status == "yes":
            self._start(candidate)
        elif answer.status == "after" and not any(len(self.running.get(each.service, ())) > 1 for each in answer.steps):
            for each in answer.steps:
                assert self.gate().answer(each).status == "yes", "each step is safe in its turn"
                self._start(each, whole=True)
                self._send()
                self._read_everything()
            assert self.gate().answer(candidate).status == "yes", "the order leads to yes"
            self._start(candidate, whole=True)

    def _build_reader(self, answer: Answer) -> bool:
        """Somebody builds a version of a reader that is in the way, which knows every version and emits as before."""
        services = {each.reader.service for each in answer.blocking if each.direction(answer.candidate) == "writes"}
        for service in sorted(services):
            (old, *more) = self.running[service]
            of = ServiceVersion(service, f"{sum(each.service == service for each in self.built) + 1}")
            if more:
                return False
            every = dict.fromkeys(SUBJECTS, frozenset(range(1, VERSIONS + 1)))
            self.built[of] = Built(of, every, self.built[old].emits)
        return bool(services)

    def _build(self, service: str) -> ServiceVersion:
        """A new version of a service: it pins newer versions as time goes on, and seldom forgets old ones."""
        number = sum(each.service == service for each in self.built) + 1
        of = ServiceVersion(service, f"{number}")
        pinned, emits = {}, {}
        for name in SUBJECTS:
            newest = min(VERSIONS, 1 + self.chance.randrange(1 + min(number, VERSIONS)))
            oldest = self.chance.randint(1, newest) if self.chance.random() < 0.25 else 1
            pinned[name] = frozenset(range(oldest, newest + 1))
            sent = (
                (newest,)
                if self.chance.random() < 0.6
                else tuple(sorted({oldest, self.chance.randint(oldest, newest)}))
            )
            emits[name] = sent
        reads = self.chance.choice(("", "", "", "newest", *NAMES))
        self.built[of] = Built(of, pinned, emits, reads)
        return of

    def _start(self, of: ServiceVersion, *, whole: bool = False) -> None:
        versions = self.running.setdefault(of.service, [])
        if of in versions:
            return
        beside = bool(versions) and not whole
        self.deployments.append(Deployment(of.service, of.version, "prod", self.now, beside=beside))
        self.running[of.service] = [*versions, of] if beside else [of]

    def _end_rollout(self, service: str) -> None:
        old, *_, new = self.running[service]
        kept, ended = (new, old) if self.chance.random() < 0.8 else (old, new)  # or it was aborted
        self.deployments.append(Deployment(service, ended.version, "prod", self.now, "undeployed"))
        self.running[service] = [kept]

    def _undeploy(self, service: str) -> None:
        self.deployments.append(Deployment(service, "", "prod", self.now, "undeployed"))
        del self.running[service]

    # What services do

    def _send(self) -> None:
        for versions in self.running.values():
            for of in versions:
                for subject in self.universe.catalog.sent_by(of.service):
                    for version in self.built[of].emits[subject.name]:
                        self.in_flight[subject.name, version] = self.hour
                        self.last_sent[of, subject.name, version] = self.hour
                        if self.chance.random() < 0.02:
                            self.delayed[subject.name, version] = self.hour + self.chance.randrange(20, 200)

    def _read_everything(self) -> None:
        """Every running reader reads everything that is in flight. Fails where it cannot."""
        self.delayed = {each: due for each, due in self.delayed.items() if due >= self.hour}
        here = {each for each, hour in self.in_flight.items() if not self._is_gone(each[0], hour)} | self.delayed.keys()
        for name, version in here:
            for service in self.universe.catalog.subjects[name].received_by:
                for of in self.running.get(service, ()):
                    for wire in self.messages(name, version):
                        problem = self.problem(of, name, wire)
                        assert not problem, f"{of} fails on {name} v{version}: {problem}: {wire!r}"
                        self.handled += 1

    def _is_gone(self, name: str, sent: int) -> bool:
        """Whether a message of that hour is not in flight any more: a calculation of its own, in hours."""
        catalog, subject = self.universe.catalog, self.universe.catalog.subjects[name]
        hours = 0.0
        for channel in subject.all_channels:
            kept = catalog.retention.get(channel.name)
            kept = catalog.expires_after(channel.name) if kept is None else kept
            if kept is None:
                return False
            hours += kept.total_seconds() / 3600
        return sent + hours <= self.hour

    def messages(self, name: str, version: int) -> list[bytes]:
        if (name, version) not in self._messages:
            self._messages[name, version] = self.universe.messages(name, version)
        return self._messages[name, version]

    def problem(self, of: ServiceVersion, name: str, wire: bytes) -> str:
        """Why a service version fails on a message, by the real `decode` of what it pins and by its handler; or ""."""
        if of not in self._runtime:
            self._runtime[of] = self.universe.reader(self.built[of].pinned)
        if (of, wire) not in self._problems:
            channel = self.universe.catalog.subjects[name].channels[0].name
            self._problems[of, wire] = self._handled(
                lambda: decode_message(wire, channel, self._runtime[of]).data, name, of
            )
        return self._problems[of, wire]

    def _handled(self, read: Callable[[], Any], name: str, of: ServiceVersion) -> str:
        try:
            self._handle(read(), name, of)
        except (EnvelopesError, AttributeError) as error:
            return type(error).__name__
        return ""

    def _handle(self, message: Any, name: str, of: ServiceVersion) -> None:
        reads = self.built[of].reads
        if reads == "newest":
            for version in sorted(self.built[of].pinned[name]):
                if version > type(message).__contract__.version:
                    message = self._runtime[of].value_object(name, version).from_json(message.to_json())
        elif reads and reads in self._newest_fields(name, of):
            getattr(message, reads)

    def _newest_fields(self, name: str, of: ServiceVersion) -> Mapping[str, Any]:
        """A handler reads only what the newest version that it pins has; older ones may not have it."""
        return self.universe.catalog.subjects[name].contracts[max(self.built[of].pinned[name])].schema["properties"]

    # What the gate is told, and whether it is right to refuse

    def _verifications(self, of: ServiceVersion) -> list[Verification]:
        if of not in self._known:
            self._known[of] = [self._verified(of)]
        return self._known[of]

    def _verified(self, of: ServiceVersion) -> Verification:
        """What a run says that replays every message of every version that is pinned."""
        built, catalog = self.built[of], self.universe.catalog
        pinned, operations, upcasts = [], [], []
        for subject in catalog.subjects.values():
            name, sends, receives = subject.name, of.service in subject.sent_by, of.service in subject.received_by
            for version in sorted(built.pinned[name]) if sends or receives else ():
                content = digest(subject.contracts[version])
                pinned.append(PinnedContract(name, version, content, sends=sends, receives=receives))
                wires = self.messages(name, version) if receives else []
                problems = [self.problem(of, name, wire) for wire in wires]
                problem = next(filter(None, problems), "")
                if receives and built.reads == "newest" and version < max(built.pinned[name]):
                    upcasts.append(Upcast(name, version, f"tried on {len(problems)}", problem))
                elif receives:
                    failed = (FailedMessage(f"v{version}.jsonl:1", "handler-failed", problem),) if problem else ()
                    count = len(problems) - bool(problem)
                    operations.append(VerifiedOperation(name, version, "consumes", count, failures=failed))
            if sends:
                sent = built.emits[name]
                operations.append(VerifiedOperation(name, max(sent), "produces", 1, sent=sent))
        return Verification(of.service, of.version, START, tuple(pinned), tuple(operations), upcasts=tuple(upcasts))

    def _newest(self, service: str) -> ServiceVersion | None:
        return max(
            (each for each in self.built if each.service == service), key=lambda each: int(each.version), default=None
        )

    def _unshown(self, answer: Answer) -> str:
        """Return the check of a `no` or an `after` that the model cannot show to fail."""
        return next(
            (str(each) for each in answer.checks if each.status == "no" and not self._shows(each, answer.candidate)), ""
        )

    def _shows(self, check: Check, candidate: ServiceVersion) -> bool:
        """Whether the writer may have sent, or will send, a message that the reader fails on."""
        name, version, writer = check.written.subject, check.written.version, check.writer
        if writer is not None and check.direction(candidate) == "reads":
            sent = self.last_sent.get((writer, name, version))
            running = writer in self.running.get(writer.service, ())
            if not running and (sent is None or self._is_gone(name, sent)):
                return False
        wires = list(self.messages(name, version))
        if check.evidence.witness is not ABSENT:
            wires.insert(0, self.universe.wire(name, version, check.evidence.witness))
        return any(self.problem(check.reader, name, wire) for wire in wires)


def universe_in(folder: Path, seed: int, name: str) -> Universe:
    """Random contracts, and the package of value objects that is generated from them; importable from the folder."""
    from importlib import import_module

    from contract_test.generate.package import generate

    write_contracts(folder / "contracts", random.Random(seed))
    catalog = load_catalog(folder / "contracts")
    generate(catalog, name, folder)
    return Universe(catalog, import_module(f"{name}.messages").CATALOG)
