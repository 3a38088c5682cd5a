"""Timeline: which versions of which services ran in an environment, when, and for how long their messages stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from contract_test.data.contract import Catalog, Channel, Subject
from contract_test.data.deployment import Deployment, ServiceVersion

SEGMENT = timedelta(days=7)
"""Kafka removes whole segments, so a message may stay for a segment longer than `retention.ms`; `segment.ms` is a week
by default."""

_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Interval:
    """A service version that was deployed from `since` to `until`; None if it still is."""

    of: ServiceVersion
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Timeline:
    """Everything that was ever deployed in one environment, the oldest first."""

    environment: str
    intervals: tuple[Interval, ...]

    @cached_property
    def _by_service(self) -> dict[str, list[Interval]]:
        found: dict[str, list[Interval]] = {}
        for each in self.intervals:
            found.setdefault(each.of.service, []).append(each)
        return found

    @cached_property
    def _asked(self) -> dict[tuple[str, timedelta | None, datetime], dict[str, datetime | None]]:
        return {}

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that was ever deployed here."""
        return tuple(sorted(self._by_service))

    def deployed(self, service: str) -> tuple[str, ...]:
        """Return the versions of a service that are deployed now: several during a rollout."""
        found = self._by_service.get(service, ())
        return tuple(dict.fromkeys(each.of.version for each in found if each.until is None))

    def in_flight(self, service: str, horizon: timedelta | None, now: datetime) -> dict[str, datetime | None]:
        """Return the versions whose messages may still be there, with the time at which the last one is gone.

        That is None for a version that is deployed, and where messages stay for ever (`horizon` is None).
        """
        key = service, horizon, now
        if key in self._asked:  # once for each subject with the same horizon
            return self._asked[key]
        found = self._asked[key] = dict[str, datetime | None]()
        for each in self._by_service.get(service, ()):
            gone = None if each.until is None or horizon is None else _later(each.until, horizon)
            if gone is None or gone > now:
                known = found.get(each.of.version, gone)
                found[each.of.version] = None if gone is None or known is None else max(known, gone)
        return found

    def earlier(self, service: str) -> list[str]:
        """Return the versions of a service that ran here before those that do now, the newest first."""
        deployed = self.deployed(service)
        ended = sorted(
            (each for each in self._by_service.get(service, ()) if each.of.version not in deployed),
            key=lambda each: each.since,
            reverse=True,
        )
        return list(dict.fromkeys(each.of.version for each in ended))

    def after(self, of: ServiceVersion, now: datetime) -> Timeline:
        """Return the timeline once a version has replaced those that are deployed."""
        ended = (replace(each, until=now) if _is_open(each, of.service) else each for each in self.intervals)
        return Timeline(self.environment, (*ended, Interval(of, now)))


def timeline_of(
    environment: str, deployments: Iterable[Deployment], assumed: Sequence[ServiceVersion] = ()
) -> Timeline:
    """Return the timeline that some deployments make. What is `assumed` runs for ever, beside what is recorded."""
    found: list[Interval] = []
    present: dict[str, list[int]] = {}  # the places of the intervals of a service that have no end yet
    for each in sorted(deployments, key=lambda each: each.time):
        if each.environment != environment:
            continue
        of = ServiceVersion(each.service, each.version)
        still = []
        for number in present.get(each.service, ()):
            interval = found[number]
            ends = not each.beside if each.state == "deployed" else each.version in ("", interval.of.version)
            if ends and not (each.state == "deployed" and interval.of == of):
                found[number] = replace(interval, until=each.time)
            else:
                still.append(number)
        if each.state == "deployed" and not any(found[number].of == of for number in still):
            still.append(len(found))
            found.append(Interval(of, each.time))
        present[each.service] = still
    known = {each.of for each in found if each.until is None}
    return Timeline(environment, (*(Interval(each, _BEFORE) for each in assumed if each not in known), *found))


def horizon_of(catalog: Catalog, subject: Subject, kept: Mapping[str, timedelta | None]) -> timedelta | None:
    """Return how long a message of a subject may be met, on its channels and wherever its copies go; None: for ever.

    `kept` is what a broker says of channels, and counts more than the catalog. A copy is as old as the channel that it
    was read from allows, so the times of a channel, of its retries and of its dead letters add up.
    """
    first, *copies = ([_kept(catalog, each, kept) for each in group] for group in (
        subject.channels, subject.retry, subject.dead_letter
    ))  # fmt: skip
    times = [time for time in (*first, *copies[0], *copies[1]) if time is not None]
    if not first or len(times) < len(subject.all_channels):
        return None
    return max(times[: len(first)]) + sum(times[len(first) :], timedelta())


def _kept(catalog: Catalog, channel: Channel, kept: Mapping[str, timedelta | None]) -> timedelta | None:
    if channel.name in kept:
        return kept[channel.name]
    time = catalog.retention.get(channel.name, catalog.expires_after(channel.name))
    return time + SEGMENT if time is not None and channel.protocol == "kafka" else time


def _is_open(interval: Interval, service: str) -> bool:
    return interval.of.service == service and interval.until is None


def _later(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError:
        return datetime.max.replace(tzinfo=time.tzinfo)
