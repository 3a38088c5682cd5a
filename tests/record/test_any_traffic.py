"""Whatever is on a channel, `record`, `verify` and `infer` come to their end, and what they keep is readable."""

import json
import random
import resource
import shutil
import time
from collections import Counter

import pytest
from adversarial import CODECS, mutated, write_hostile_contracts

from contract_test.data.errors import ContractTestError
from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.infer import DeclaredFields
from contract_test.infer.inference import propose
from contract_test.infer.traffic import read_traffic
from contract_test.record.recorder import Recorder
from contract_test.record.verification import Verifier
from envelopes import Wire


@pytest.fixture(scope="module")
def contracts(tmp_path_factory):
    return write_hostile_contracts(tmp_path_factory.mktemp("any_traffic"))


def some_messages(rng, number):
    for offset in range(number):
        raw = mutated(rng)
        key = rng.choice([None, b"", raw[:5]])
        headers = [("ce_type", raw[:9]), ("content-type", raw[5:40])] if rng.random() < 0.3 else ()
        yield Tapped(Wire(raw, key, headers), {"offset": offset})


def try_all(root, codec, rng, number):
    """Give some messages to everything that reads a channel. Return what came of them."""
    catalog = load_catalog(root)
    channel, messages = catalog.channels[codec], list(some_messages(rng, number))
    recorder, verifier = Recorder(catalog, channel, b"k" * 32, 2), Verifier(catalog, channel)
    for message in messages:
        recorder.take(message)
        verifier.take(message)
    recorded = recorder.write()
    assert verifier.read == number == sum(share.end - share.start for share in verifier.shares())
    load_catalog(root)  # with the recordings
    seen = read_traffic(messages, codec).seen
    found = Counter(recorded=sum(recorded.kept.values()), drifted=verifier.drifted, read=seen.read)
    try:
        propose(root, "inferred.subject", seen, DeclaredFields())
        found["inferred"] += 1
    except ContractTestError as error:
        found[type(error).__name__] += 1
    return found, sum(len(message.wire) for message in messages)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.timeout(120)
def test_any_messages_are_recorded_verified_and_inferred_or_refused(contracts, tmp_path, codec):
    root = shutil.copytree(contracts, tmp_path / "contracts")
    found, _ = try_all(root, codec, random.Random(codec), 40)
    assert found["drifted"] > 0
    assert found["read"] > 0 or codec in ("cloudevents", "confluent", "msgpack", "resque")  # few are in these


@pytest.mark.soak
def test_any_messages_at_length(contracts, tmp_path, capsys):
    found, tried, longest = Counter(), 0, 0.0
    for seed in range(1000, 1200):
        root = shutil.copytree(contracts, tmp_path / "contracts")
        started = time.process_time()
        each, size = try_all(root, CODECS[seed % 4], random.Random(seed), 60)
        longest = max(longest, time.process_time() - started)
        found, tried = found + each, tried + size
        shutil.rmtree(root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with capsys.disabled():
        print(
            f"\n{tried:,} bytes tried; {json.dumps(found)}; longest round {longest:.1f} s of CPU, at most {peak:.0f} MB"
        )
    assert found["read"] > 0
