"""How long `contract-test compat` takes: 1,000 subjects, FULL_TRANSITIVE over 5 versions, from files to findings.

`python tests/benchmarks/compat_speed.py`.
"""

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from compare_speed import evolved, small
from table import Row, report

from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import compare_pair, plan_subjects
from contract_test.files.proof_cache import ProofCache

SUBJECTS, VERSIONS = 1000, 5
SHARE = 10


def write_contracts(root, subjects, random):
    catalog = ""
    for number in range(subjects):
        name = f"subject.number{number}"
        folder = root / name
        folder.mkdir(parents=True)
        schema = small(random)
        for version in range(1, VERSIONS + 1):
            (folder / f"v{version}.json").write_text(json.dumps(schema))
            schema = evolved(schema, random)
        catalog += f'[subjects."{name}"]\ncompatibility = "FULL_TRANSITIVE"\n'
    (root / "catalog.toml").write_text(catalog)


def rows():
    """From files to findings, in as many processes as there are cores, in one, and when an earlier run knows all of it."""
    what = f"{SUBJECTS:,} subjects, {VERSIONS} versions, FULL_TRANSITIVE"
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "contracts", Path(folder) / "cache"
        write_contracts(root, SUBJECTS, Random(0))
        start = time.perf_counter()
        plan = plan_subjects(root)
        statuses = Counter(
            outcome.status for outcome in compare_pairs(plan.pairs, "closed-writer", 2.0, cache=ProofCache(cache))
        )
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()))
        yield Row("compatibility", what, time.perf_counter() - start, "s", most=20, note=counts)
        start = time.process_time()
        pairs = plan_subjects(root).pairs
        planned, start = time.process_time() - start, time.process_time()
        for pair in pairs[::SHARE]:
            compare_pair(pair)
        taken = planned + (time.process_time() - start) * SHARE
        note = f"the pairs as {SHARE} times every {SHARE}th of them"
        yield Row("compatibility", "the same in one process", taken, "CPU s", most=30, note=note)
        start = time.process_time()
        list(compare_pairs(plan_subjects(root).pairs, "closed-writer", 2.0, cache=ProofCache(cache)))
        yield Row("compatibility", "the same, nothing changed", time.process_time() - start, "CPU s", most=1)


if __name__ == "__main__":
    report(rows)
