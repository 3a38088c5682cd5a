"""`contract-test mcp`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options
from contract_test.cli.running import CLEAN
from contract_test.data.errors import ContractTestError
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import Ledger


@click.command("mcp")
@ledger_options(writes=False, optional=True)
def command(contracts: Path, ledger: Ledger | None) -> int:
    """Answer an assistant's questions about the contracts, over the Model Context Protocol.

    The server speaks the protocol on stdin and stdout, and ends with stdin. An assistant starts it: enter
    `contract-test mcp --contracts DIR` as its command. It can list subjects, show a version, say who reads a field,
    compare two schemas, explain a finding, and say whether a version may be deployed. It only reads, and only the
    contracts and the ledger.
    """
    if find_spec("mcp") is None:
        raise ContractTestError("the server needs the package mcp", advice="pip install 'contract-test[mcp]'")
    load_catalog(contracts, schemas_when_asked=True)
    from contract_test.mcp.server import server

    server(contracts, ledger).run("stdio")
    return CLEAN
