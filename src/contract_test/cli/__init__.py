"""The `contract-test` command: parse, call a use case, render, exit."""

from __future__ import annotations

import io
import sys
from importlib import import_module

COMMANDS = {
    "init": "create a contracts repository, or a service's settings and tests",
    "lint": "check that contracts/ is well-formed, locked and named properly",
    "register": "add versions to the lock, so that they never change",
    "generate": "write the value objects of every contract",
    "package": "build the package that services install",
    "compat": "check whether versions can be used side by side",
    "readers": "show which service reads which field",
    "merge-results": "add up the results of `pytest --contracts` in several jobs",
    "publish-verification": "add the result of a run to the ledger",
    "record-deployment": "record that a version runs in an environment",
    "record-undeployment": "record that it does not run there any more",
    "deployments": "show which versions run where",
    "can-i-deploy": "say whether a version may be deployed, given what is in flight",
    "rollback-target": "find the version that a service can be rolled back to",
    "matrix": "show which versions of writers and readers get along",
    "compact-ledger": "remove old entries from the ledger",
    "registry": "keep a schema registry a copy of the contracts",
    "site": "write static pages of the contracts",
    "asyncapi": "write contracts as AsyncAPI, read AsyncAPI, and compare",
    "mcp": "answer an assistant's questions about the contracts",
    "infer": "propose a contract, or its next version, from traffic",
    "record": "take scrubbed samples of the messages on a channel",
    "show": "print recorded messages for people",
    "verify": "check the messages on a channel against their contracts",
    "scan": "look for secrets and personal data in recordings",
    "demo": "show the whole loop on embedded brokers",
}
"""Each command is a module of this package with a click command `command`; it is imported when it is asked for."""


def main() -> None:
    """Run the command line. Exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 could not run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # In a pipe, Windows would encode by its code page, which has no name for most of what messages contain.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        sys.exit(_main())
    except KeyboardInterrupt:  # before the command runs: while it is imported
        sys.stderr.write("stopped\n")
        sys.exit(3)


def _main() -> int:
    try:
        import click
    except ImportError:
        sys.stderr.write(
            "contract-test needs packages that are not installed: install contract-test[tools], or, for the demo in a "
            "checkout, run pip install '.[demo]'\n"
        )
        return 3

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return list(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx
            if cmd_name not in COMMANDS:
                return None
            command: click.Command = import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
            return command

        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            if args[0] not in COMMANDS and not args[0].startswith("-"):
                from difflib import get_close_matches

                close = get_close_matches(args[0], COMMANDS, n=1)
                meant = f" Did you mean {close[0]!r}?" if close else ""
                ctx.fail(f"No such command {args[0]!r}.{meant}")
            return super().resolve_command(ctx, args)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            del ctx
            with formatter.section("Commands"):
                formatter.write_dl(list(COMMANDS.items()))

    group = Lazy(
        name="contract-test",
        help="Contract testing for services that talk through queues and event streams.\n\n"
        "Schemas live in contracts/; `pytest --contracts` replays recordings in each service's repo.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    click.version_option(package_name="contract-test")(group)
    from contract_test.cli.running import run

    return run(group)
