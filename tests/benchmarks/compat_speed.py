"""How long `contract-test compat` takes: 1,000 subjects, FULL_TRANSITIVE over 5 versions, from files to findings.

`python tests/benchmarks/compat_speed.py [SUBJECTS]`. A report, with no limits to fail.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from compare_speed import evolved, small

from contract_test.use_cases.compat import judge, plan_subjects
from contract_test.use_cases.judging import judge_all

VERSIONS = 5


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


def main():
    subjects = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "contracts"
        write_contracts(root, subjects, Random(0))
        start = time.perf_counter()
        plan = plan_subjects(root)
        planned = time.perf_counter() - start
        statuses = Counter(outcome.status for outcome in judge_all(plan.pairs, "closed-writer", 2.0))
        print(f"{subjects} subjects, {len(plan.pairs)} pairs: {time.perf_counter() - start:.1f} s, {dict(statuses)}")
        print(f"of it reading and planning {planned:.1f} s")
        start = time.perf_counter()
        for pair in plan.pairs:
            judge(pair)
        print(f"in one process {planned + time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
