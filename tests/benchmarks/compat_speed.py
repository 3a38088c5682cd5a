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

SUBJECTS, VERSIONS = 1000, 5


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
    """From files to findings, in as many processes as there are cores, and in one."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "contracts"
        write_contracts(root, SUBJECTS, Random(0))
        start = time.perf_counter()
        plan = plan_subjects(root)
        planned = time.perf_counter() - start
        statuses = Counter(outcome.status for outcome in compare_pairs(plan.pairs, "closed-writer", 2.0))
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()))
        what = f"{SUBJECTS:,} subjects, {VERSIONS} versions, FULL_TRANSITIVE"
        yield Row("compatibility", what, time.perf_counter() - start, "s", note=counts)
        start = time.perf_counter()
        for pair in plan.pairs:
            compare_pair(pair)
        yield Row("compatibility", "the same in one process", planned + time.perf_counter() - start, "s")


if __name__ == "__main__":
    report(rows)
