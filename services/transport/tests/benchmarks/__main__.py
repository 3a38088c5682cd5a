"""`python services/transport/tests/benchmarks`: the worker, its floors and its peers, one after the other in one run.

Absolute figures drift with the machine: compare only within one run. Peers that are not installed are left out; one
that needs an environment of its own gets it with `--python arq=/path/to/python`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from math import nan
from pathlib import Path
from statistics import median, quantiles

from redis import Redis

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from transport_support import RedisServer  # noqa: E402 - the tests' own Redis

OURS = {"lua-floor": 200_000, "bare-loop": 50_000, "exactly-once": 100_000, "at-least-once": 100_000}
UNPACED = ("lua-floor", "bare-loop", "rq_fork")
PEERS = {"taskiq": 8000, "dramatiq": 8000, "celery": 4000, "arq": 4000, "rq": 1000, "rq_fork": 200}


def run(python: str, script: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [python, str(HERE / script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=HERE)


def measure(
    python: str, script: str, name: str, server: RedisServer, number: int, *, paced: bool
) -> dict[str, float] | str:
    """Jobs a second from a full queue, or the latencies at 200 jobs a second; or why there are none."""
    redis = Redis.from_url(server.url)
    redis.flushall()
    if not paced:
        filling = run(python, script, "fill", name, server.url, number)
        _, errors = filling.communicate()
        if filling.returncode:
            return errors.decode().strip().splitlines()[-1]
    with run(python, script, "work", name, server.url, number) as working:
        try:
            if paced:
                time.sleep(2.5)
                run(python, script, "trickle", name, server.url, number).wait()
            working.wait(120)
        except subprocess.TimeoutExpired:
            return "not finished in 120 s"
        finally:
            working.kill()
    found = json.loads(redis.get("benchmark:result") or b"null")
    if found is None:
        return "no result"
    cuts = quantiles(found["latencies"], n=100) if paced else [0.0] * 99
    return {"rate": number / found["seconds"], "p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="`peers` names all of them")
    parser.add_argument("--only", action="append", metavar="NAME", help="of these; by default all")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    pythons = dict(each.split("=", 1) for each in options.python)
    contenders = [(name, "ours.py", number, sys.executable) for name, number in OURS.items()]
    for name, number in PEERS.items():
        contenders.append((name, "peers.py", number, pythons.get(name, pythons.get("peers", sys.executable))))
    contenders = [each for each in contenders if not options.only or each[0] in options.only]
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            for number in range(options.rounds):
                for contender in contenders:
                    name, script, jobs, python = contender
                    print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
                    full = measure(python, script, name, server, jobs, paced=False)
                    if isinstance(full, str):
                        print(f"{name}: {full}", file=sys.stderr)
                        continue
                    seen = found.setdefault(name, {"rate": [], "p50": [], "p99": []})
                    seen["rate"].append(full["rate"])
                    if name not in UNPACED:
                        slow = measure(python, script, name, server, 1000, paced=True)
                        for key in ("p50", "p99") if not isinstance(slow, str) else ():
                            seen[key].append(slow[key])
        finally:
            server.stop()
    show(found)


def show(found: dict[str, dict[str, list[float]]]) -> None:
    """Medians of all rounds; the ratios are of medians, too."""
    middle = {name: {key: median(each) if each else nan for key, each in seen.items()} for name, seen in found.items()}
    floor = middle.get("lua-floor", {}).get("rate", nan)
    peer = max((seen["rate"] for name, seen in middle.items() if name in PEERS), default=nan)
    print("medians; latency at 200 jobs/s; rates compared with the best peer's and with the floor's")
    print(f"{'':15}{'jobs/s':>10}{'x peer':>9}{'x floor':>9}{'p50 ms':>9}{'p99 ms':>9}   all rates")
    for name, seen in middle.items():
        ratios = f"{seen['rate'] / peer:9.2f}{seen['rate'] / floor:9.3f}"
        rates = " ".join(f"{rate:,.0f}" for rate in found[name]["rate"])
        print(f"{name:15}{seen['rate']:10,.0f}{ratios}{seen['p50']:9.1f}{seen['p99']:9.1f}   {rates}")


if __name__ == "__main__":
    main()
