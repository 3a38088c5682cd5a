"""How long `contract-test site` takes for many subjects, how much memory it needs, and how fast its search answers.

`python tests/benchmarks/site_speed.py`. The first run finds no proofs in the cache, the second one all of them.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import chromium
from compare_speed import evolved, small
from table import Row, report

SUBJECTS, VERSIONS, OLD, SERVICES, DOMAINS = 10_000, 3, 60, 300, 20
SEARCHES = ("thing77", "number", "name", "service12", "happened 99")
FIND = """
const done = arguments[1], query = arguments[0];
contractSearch.find(query).then(() => {
  const start = performance.now();
  contractSearch.find(query).then(() => done(performance.now() - start));
});
"""


def write_contracts(root, subjects, random):
    """Write subjects whose services are mostly of one domain."""
    rows = [
        f'[channels.c{number}]\nprotocol = "kafka"\naddress = "topic.{number}"\ncodec = "cloudevents"\n'
        for number in range(subjects // 50 + 1)
    ]
    rows += [f'[services.service{number}]\ndomain = "domain {number % DOMAINS}"\n' for number in range(SERVICES)]
    for number in range(subjects):
        name = f"domain{number % DOMAINS}.thing{number}.happened"
        (root / name).mkdir(parents=True)
        schema = small(random)
        for version in range(1, (VERSIONS if number else OLD) + 1):
            (root / name / f"v{version}.json").write_text(json.dumps(schema))
            schema = evolved(schema, random)
        near = [number % DOMAINS + DOMAINS * random.randrange(SERVICES // DOMAINS) for _ in range(3)]
        rows.append(
            f'[subjects."{name}"]\nchannel = "c{number // 50}"\nsent_by = ["service{near[0]}"]\n'
            f"received_by = {json.dumps(sorted({f'service{each}' for each in near[1:]}))}\n"
        )
    (root / "catalog.toml").write_text("\n".join(rows))


def run(folder):
    """Return how many seconds a run takes."""
    environment = os.environ | {"CONTRACT_TEST_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", "from contract_test.cli import main; main()", "site", "--output", "site"]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def search_milliseconds(site):
    """Return how long the slowest search takes in Chromium once its part of the index is there; None without one."""
    driver = chromium()
    if driver is None:
        return None
    try:
        driver.set_script_timeout(60)
        driver.get(f"file://{site}/index.html")
        return max(driver.execute_async_script(FIND, query) for query in SEARCHES)
    finally:
        driver.quit()


def rows():
    """From files to pages, twice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_contracts(folder / "contracts", SUBJECTS, Random(0))
        what = f"{SUBJECTS:,} subjects, {VERSIONS} versions, and one of {OLD}"
        yield Row("site", f"{what}, first run", run(folder), "s", most=60)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        yield Row("site", "memory of its largest process", largest, "MB", most=1024)
        yield Row("site", "the same again, nothing changed", run(folder), "s", most=60)
        pages = [path for path in (folder / "site").rglob("*") if path.is_file()]
        size = max(path.stat().st_size for path in pages) / 1000
        yield Row("site", "the largest file", size, "kB", most=500, note=f"of {len(pages):,}")
        slowest = search_milliseconds(folder / "site")
        yield Row(
            "site", "the slowest of five searches", slowest, "ms", most=100, note="" if slowest else "no Chromium"
        )


if __name__ == "__main__":
    report(rows)
