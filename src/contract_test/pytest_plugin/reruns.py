"""Runs one item several times, with fresh fixtures each time, to find the smallest message that fails."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from _pytest.runner import runtestprotocol  # as every plugin that runs an item again

from contract_test.data.errors import NothingFoundError
from contract_test.data.result import Fault
from contract_test.data.texts import counted
from contract_test.pytest_plugin.attempts import Reports, kept_subtests, run_with_reruns
from contract_test.pytest_plugin.generated_messages import FailedError, for_each_generated, nothing_generated
from contract_test.pytest_plugin.items import READING, READS, Reads
from contract_test.pytest_plugin.redelivery import borne
from contract_test.pytest_plugin.tracking import ACCEPTED
from contract_test.recordings.messages import Message
from contract_test.replay.cases import Case, Delivery, Replay
from contract_test.replay.field_access import FieldAccess
from contract_test.replay.message_exchange import MessageExchange
from contract_test.replay.mutation import mutants
from contract_test.replay.test_files import TestFiles
from contract_test.replay.unused_message import WATCHED, Unread
from contract_test.replay.variation_cases import new_message, others, with_data
from contract_test.schema.fields import fields_of

PARAMETER = "contract_case"
_NUMBERS = itertools.count(1)
"""Make messages different from all others of the run."""
MESSAGES_TO_EXCHANGE = 3
"""If a test ran no code of the service with so many messages of a version, fewer and fewer of the others are tried."""
FAULTS = pytest.StashKey[tuple[Fault, ...]]()
"""Of an item that was run with faults made on purpose: whether its test noticed each."""


class _NextTo(pytest.Item):
    """Stands for an item beside another one: what both need stays set up."""

    def runtest(self) -> None:
        raise NotImplementedError


class Reruns:
    """Runs the items whose message may still be chosen.

    `generated` is how many messages Hypothesis makes for one. With `mutates`, faults are made on purpose.
    """

    def __init__(
        self,
        replay: Replay,
        generated: int,
        watched: Callable[[pytest.Item], tuple[Message, FieldAccess] | None],
        tests: TestFiles,
        *,
        mutates: bool,
    ) -> None:
        self._replay, self._generated, self._watched, self._mutates = replay, generated, watched, mutates
        self._tests = tests
        self._without_service: Counter[tuple[str, str, int]] = Counter()

    def protocol(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> bool:
        """Run an item, and report it once."""
        if run_with_reruns(item, nextitem, lambda: self._run(item, case, nextitem)):
            return True
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._run(item, case, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _run(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> Reports:
        if case.delivery is not None:
            return _delivered(item, case, case.delivery, nextitem)
        run = {
            "recorded": self._mutated if self._mutates else self._recorded,
            "variation": self._varied,
            "generated": self._made,
        }[case.origin]
        return run(item, case, nextitem)

    def _recorded(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> Reports:
        reports = run_once(item, case, nextitem)
        unread = item.stash.get(READING, WATCHED).unread
        if not unread or (unread != "handed-over" and not self._is_tried(item, case)):
            return reports
        noticed = self._noticed(item, case, unread)
        if noticed.elsewhere or noticed.ignored:
            del self._without_service[_test_of(item, case)]
        return run_once(item, noticed, nextitem)

    def _is_tried(self, item: pytest.Item, case: Case) -> bool:
        """Return whether a message that a test alone reads is exchanged: the first three, the 4th, 8th and so on."""
        test = _test_of(item, case)
        alone = self._without_service[test]
        self._without_service[test] += 1
        return alone < MESSAGES_TO_EXCHANGE or (alone + 1).bit_count() == 1

    def _noticed(self, item: pytest.Item, case: Case, unread: Unread) -> Case:
        """Return the case of a message whose reading could not be watched, with what other messages show of it.

        If the test fails as soon as the service gets another message, the service reads it.
        """
        ran = exchanged = False
        for exchange, notices in self._exchanged(item, case, with_test=False):
            ran, exchanged = ran or exchange.service_ran, exchanged or exchange.exchanged
            if notices and exchange.exchanged:
                return replace(case, elsewhere="noticed")
            if not exchange.left and unread != "handed-over":
                break  # the test gives its message to nobody, whatever the other message is
        if exchanged:
            notices = self._notices_new(item, case)
        else:  # nothing of it is in the arguments of any function of the service
            others_too = self._exchanged(item, case, with_test=True) if unread == "handed-over" else ()
            notices = any(notices and exchange.left for exchange, notices in others_too)
        return replace(case, elsewhere="noticed") if notices else replace(case, ignored=ran)

    def _notices_new(self, item: pytest.Item, case: Case) -> bool:
        """Return whether a test notices that its service did not get a message that is new to it.

        State that an earlier run left, such as a row of a database, may hold all that the test asserts of this one.
        """
        beside, new = _beside(item), new_message(self._replay, case, next(_NUMBERS))
        exchange = MessageExchange(self._tests, new.envelope.data, case.message.envelope.data)
        if not failed(run_once(item, replace(case, message=new, exchange=exchange), beside)):
            return False
        return exchange.exchanged and not failed(
            run_once(item, replace(case, message=new, elsewhere="noticed"), beside)
        )

    def _exchanged(self, item: pytest.Item, case: Case, *, with_test: bool) -> Iterator[tuple[MessageExchange, bool]]:
        """Run an item with other messages for its service; yield what was exchanged, and whether its test failed.

        With `with_test`, the test, too, gets the other message as soon as it turns the whole of it into something else.
        """
        beside, message = _beside(item), case.message.envelope.data
        for other in others(self._replay, case):
            exchange = MessageExchange(self._tests, message, other)
            changed = replace(case, exchange=exchange, dumped=other if with_test else None)
            yield exchange, failed(run_once(item, changed, beside))

    def _mutated(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> Reports:
        """First as it was recorded, then with each fault in what the service read, then whole again, for the report."""
        beside = _beside(item)
        reports = run_once(item, case, beside)
        if unread := item.stash.get(READING, WATCHED).unread:
            case = self._noticed(item, case, unread)
            reports = run_once(item, case, beside)
        watched = None if failed(reports) else self._watched(item)
        if watched is not None:
            message, watch = watched
            contract = self._replay.catalog.subjects[message.interaction.subject].contracts[message.interaction.version]
            fields = fields_of(contract.resources, contract.uri)

            def notices(broken: Case) -> bool:
                return failed(run_once(item, broken, beside))

            faults = [
                Fault(mutant.pointer, mutant.change, notices(replace(case, replaced=mutant.replaced)))
                for mutant in mutants(message.envelope.data, watch.by_service, fields)
            ]
            if case.operation == "consumes":  # a producer that emits twice is a mismatch in any case
                twice = notices(replace(case, twice=True))
                faults.append(Fault("", "delivered twice", twice or borne(item)))
            item.stash[FAULTS] = tuple(faults)
        return run_once(item, case, nextitem)

    def _varied(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> Reports:
        reports = run_once(item, case, nextitem)
        if not failed(reports):
            return reports
        from contract_test.replay.minimization import smallest  # which takes long to import: all of `compare`

        beside = _beside(item)
        case = smallest(self._replay, case, lambda candidate: failed(run_once(item, candidate, beside)))
        again = run_once(item, case, nextitem)
        return again if failed(again) else reports

    def _made(self, item: pytest.Item, case: Case, nextitem: pytest.Item | None) -> Reports:
        found: list[tuple[Case, Reports]] = []
        tried: list[Reads] = []
        beside = _beside(item)

        def try_one(data: Any) -> None:
            made = with_data(self._replay, case, data)
            if made is not None:
                candidate = replace(case, message=made, change="made by Hypothesis, and shrunk")
                reports = run_once(item, candidate, beside)
                watched = self._watched(item)
                tried.append((watched[1].by_service, watched[1].by_test) if watched else (set(), set()))
                if failed(reports):
                    found.append((candidate, reports))
                    raise FailedError

        for_each_generated(self._replay, case, self._generated, try_one)
        if not tried:
            return run_once(item, nothing_generated(case), nextitem)
        if not found:
            by_service, by_test = zip(*tried, strict=True)
            item.stash[READS] = set().union(*by_service), set().union(*by_test)
            return run_once(item, replace(case, change=counted(self._generated, "message")), nextitem)
        candidate, before = found[-1]
        again = run_once(item, candidate, nextitem)
        return again if failed(again) else before


def _delivered(item: pytest.Item, case: Case, delivery: Delivery, nextitem: pytest.Item | None) -> Reports:
    """First each message once, in the order in which they were sent; then, with fresh fixtures, as they arrive."""
    sent = replace(delivery, arrivals=delivery.once, crash="")
    before = run_once(
        item, replace(case, delivery=sent, message=sent.once[0], change="each message once"), _beside(item)
    )
    return before if failed(before) else run_once(item, case, nextitem)


def run_once(item: pytest.Item, case: Case | NothingFoundError, nextitem: pytest.Item | None) -> Reports:
    """Run an item's whole protocol with a message, or why there is none; what `nextitem` needs too stays set up."""
    item.callspec.params[PARAMETER] = case  # type: ignore[attr-defined] # as pytest sets it on a parametrized item
    with kept_subtests(item) as reports:
        own = runtestprotocol(item, nextitem=nextitem, log=False)
    return [*reports, *own]


def _test_of(item: pytest.Item, case: Case) -> tuple[str, str, int]:
    interaction = case.message.interaction
    return item.nodeid.partition("[")[0], interaction.subject, interaction.version


def _beside(item: pytest.Item) -> pytest.Item:
    assert item.parent is not None
    beside: pytest.Item = _NextTo.from_parent(item.parent, name=f"{item.name} again")
    return beside


def failed(reports: Reports) -> bool:
    """Return whether an item failed in any of its phases."""
    return any(report.failed or getattr(report, ACCEPTED, False) for report in reports)
