"""Codecs and transports of installed packages: found by their names, loaded only when a catalog names them."""

import json
import os
import subprocess
import sys

import pytest

CODEC = """
print("codec read in")
from envelopes.codecs import json
CONTEXT_NAMES = json.CONTEXT_NAMES
def read(raw, key, headers, channel):
    context, data = json.read(raw[1:], key, headers, channel)
    return context._replace(json_start=1, prefix=b"~"), data
def write(context, raw, channel):
    return json.write(context, b"~" + raw, channel)
"""
TRANSPORT = """
from contract_test.data.interaction import Tapped
from envelopes import Wire
SCHEMES = ("pigeon",)
def read(url, address, reading):
    for number in (1, 2):
        yield Tapped(Wire(b'~{"parcel": "p"}'), {"pigeon": number})
"""
SCHEMA = {"type": "object", "properties": {"parcel": {"type": "string"}}, "required": ["parcel"]}


@pytest.fixture
def command(tmp_path):
    """A function that runs a command where a package with these entry points is installed."""

    def run(*words, entries, codec="tilde", protocol="pigeons", **modules):
        site, contracts = tmp_path / "site", tmp_path / "contracts"
        info = site / "acme_queues-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-queues\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entries)
        for name, text in modules.items():
            (site / f"{name}.py").write_text(text)
        (contracts / "parcel.sent").mkdir(parents=True)
        (contracts / "parcel.sent" / "v1.json").write_text(
            json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"} | SCHEMA)
        )
        (contracts / "catalog.toml").write_text(
            f'[channels.sent]\nprotocol = "{protocol}"\naddress = "here"\ncodec = "{codec}"\n'
            '[subjects."parcel.sent"]\nchannel = "sent"\nsent_by = ["a"]\nreceived_by = ["b"]\n'
        )
        return subprocess.run(
            [sys.executable, "-c", "from contract_test.cli import main; main()", *words, "--contracts", str(contracts)],
            env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


ENTRIES = "[contract_test.codecs]\ntilde = acme_codec\n[contract_test.transports]\npigeons = acme_pigeons\n"


def test_a_codec_and_a_transport_of_another_package_are_used(command):
    done = command(
        "verify", "pigeon://loft", "--channel", "sent", entries=ENTRIES, acme_codec=CODEC, acme_pigeons=TRANSPORT
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "channel sent: 2 read, 0 drifted" in done.stdout


def test_nothing_is_loaded_for_a_catalog_that_does_not_name_it(command):
    done = command("lint", entries=ENTRIES, codec="json", protocol="kafka", acme_codec=CODEC, acme_pigeons="1 / 0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "codec read in" not in done.stdout


@pytest.mark.parametrize(
    ("entries", "modules", "words"),
    [
        (
            "[contract_test.codecs]\njson = acme_codec\n",
            {"acme_codec": CODEC, "acme_pigeons": TRANSPORT},
            ["'json'", "built in", "acme-queues"],
        ),
        (ENTRIES, {"acme_codec": "1 / 0"}, ["tilde", "acme-queues", "cannot be loaded", "ZeroDivisionError"]),
        (ENTRIES, {"acme_codec": "x = 1"}, ["tilde", "acme-queues", "has no CONTEXT_NAMES, read, write"]),
        (ENTRIES, {"acme_codec": CODEC}, ["pigeons", "acme-queues", "cannot be loaded", "acme_pigeons"]),
    ],
    ids=["the name of a built-in", "broken", "without its functions", "a transport that is not there"],
)
def test_what_cannot_be_used_is_an_error_with_its_name(command, entries, modules, words):
    names = {"codec": "json", "protocol": "kafka"} if "json =" in entries else {}
    source = "pigeon://loft" if "pigeons" in words else "none.jsonl"
    done = command("verify", source, "--channel", "sent", entries=entries, **names, **modules)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
