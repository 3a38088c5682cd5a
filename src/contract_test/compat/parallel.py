"""Judging many pairs: one after the other, or, where they are many, on every processor."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from typing import TypeVar

from contract_test.compat.plan import Outcome, compare_pair
from contract_test.compat.proofs import Proofs
from contract_test.compat.snapshot import Pair
from contract_test.compat.undeclared_fields import ContentModel
from contract_test.data.errors import UnreachableError
from contract_test.files.proof_cache import ProofCache

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
MIN_PAIRS_FOR_PROCESSES = 600
"""Fewer pairs than this are done before another process has started."""
_BATCH = 40
MAX_PROCESSES = 8


def compare_pairs(
    pairs: Sequence[Pair],
    content_model: ContentModel,
    budget: float,
    package: str | None = None,
    *,
    cache: ProofCache | None = None,
    many: int = MIN_PAIRS_FOR_PROCESSES,
) -> Iterator[Outcome]:
    """Yield the outcome of each pair, in their order. Raises UnreachableError where a process of ours is killed.

    What an earlier run proved of the same content is taken from the `cache`, and what this one proves is kept there.
    """
    proofs = Proofs(cache or ProofCache(None), content_model, budget)
    known = proofs.known(pairs)
    new = [pair for pair, verdict in zip(pairs, known, strict=True) if verdict is None]
    outcomes = _compared(new, content_model, budget, package, many)
    for pair, verdict in zip(pairs, known, strict=True):
        if verdict is not None:
            yield compare_pair(pair, content_model, budget, package, known=verdict)
        else:
            outcome = next(outcomes)
            proofs.keep(pair, outcome.proved)
            yield outcome


def _compared(
    pairs: Sequence[Pair], content_model: ContentModel, budget: float, package: str | None, many: int
) -> Iterator[Outcome]:
    if len(pairs) < many or processes() == 1:
        for pair in pairs:
            yield compare_pair(pair, content_model, budget, package)
        return
    batches = (pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH))
    work = partial(_compare_batch, content_model=content_model, budget=budget, package=package)
    for outcomes in in_processes(work, batches):
        yield from outcomes


def in_processes(work: Callable[[_Task], _Result], tasks: Iterable[_Task]) -> Iterator[_Result]:
    """Yield the result of each task, in their order, from processes on all processors.

    Raises UnreachableError where a process of ours is killed.
    """
    pool = ProcessPoolExecutor(processes(), get_context("spawn"), _leave_interrupts_to_the_parent)
    try:
        for result in [pool.submit(work, task) for task in tasks]:
            yield result.result()
    except BrokenProcessPool:
        advice = "Is there memory enough? Name one SUBJECT to compare less at once."
        raise UnreachableError("a process that compares was killed", advice=advice) from None
    finally:
        pool.shutdown(cancel_futures=True)


def processes() -> int:
    """Return how many processes are of use: one where this process is already one of several."""
    return 1 if parent_process() else min(os.cpu_count() or 1, MAX_PROCESSES)


def _compare_batch(
    batch: Sequence[Pair], content_model: ContentModel, budget: float, package: str | None
) -> list[Outcome]:
    return [compare_pair(pair, content_model, budget, package) for pair in batch]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
