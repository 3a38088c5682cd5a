"""Two services as others have them, with frameworks of their own: green as they are, red with a fault.

`fulfilment` consumes orders with FastStream and asks for shipments. `shop` is a Django project that writes each message
into an outbox, in the transaction of the order, and relays it later. Both use the package of the contracts beside them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of the package `acme_orders`, with the contracts inside, as a wheel would install it."""
    site = tmp_path_factory.mktemp("site")
    generate(load_catalog(HERE / "contracts"), "acme_orders", site)
    shutil.copytree(HERE / "contracts", site / "acme_orders" / "contracts")
    return site


@pytest.fixture
def repository(tmp_path, package):
    """A function that copies a service's repository, changes a line of its code, and runs its tests there."""

    def run(name, *options, change=None):
        folder = tmp_path / name
        shutil.copytree(HERE / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        if change is not None:
            file, old, new = change
            text = (folder / file).read_text()
            assert text.count(old) == 1, f"{file} changed: take another fault"
            (folder / file).write_text(text.replace(old, new))
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CI"))}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--contracts", "-p", "no:cacheprovider", "-p", "no:xdist", *options],
            cwd=folder, env=environment | {"PYTHONPATH": str(package)}, capture_output=True, text=True, timeout=200,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("fulfilment", ["order.placed        v1       consumes", "shipment.requested  v1       produces"]),
        ("shop", ["order.placed  v1       produces", "order.placed  v2       produces"]),
    ],
)
def test_a_service_that_keeps_its_contracts_is_green(repository, name, operations):
    code, said = repository(name)
    assert code == 0, said
    for each in operations:
        assert each in said
    assert " failed" not in said.rpartition("passed")[0].rpartition("\n")[2]


@pytest.mark.parametrize(
    ("name", "change", "failure"),
    [
        pytest.param(
            "fulfilment",
            ("src/fulfilment/warehouse.py", 'getattr(order, "note", None)', "order.note"),
            "/note: the contract has no such field",
            id="the consumer reads what only v2 has",
        ),
        pytest.param(
            "fulfilment",
            ("src/fulfilment/warehouse.py", "sum(line.quantity for line in order.lines)", "len(order.lines)"),
            "/items: expected 3, found 2",
            id="the consumer counts lines instead of items",
        ),
        pytest.param(
            "fulfilment",
            ("src/fulfilment/app.py", "key=wire.key,", "key=None,"),
            "wrong-key",
            id="the partition key is lost in the framework",
        ),
        pytest.param(
            "shop",
            ("orders/checkout.py", "sum(quantity * cents", "sum(cents"),
            "/total_cents: expected 500, found 300",
            id="the total leaves out quantities",
        ),
        pytest.param(
            "shop",
            (
                "orders/outbox.py",
                "send(message.topic, bytes(message.value)",
                "send(message.topic, bytes(message.value)[:-1]",
            ),
            "order.placed v2 produces: 3 of 3 messages",
            id="the relay cuts the value",
        ),
    ],
)
def test_a_fault_in_its_code_is_found(repository, name, change, failure):
    code, said = repository(name, "--contracts-only-recorded", change=change)
    assert code == 1, said
    assert failure in said
