"""`contract-test demo`."""

from __future__ import annotations

import time

import click

from contract_test.cli.running import CLEAN, FINDINGS
from contract_test.data.texts import counted
from contract_test.start.demo import demo
from contract_test.transports.embedded import REDIS_URL


@click.command("demo")
@click.option(
    "--redis",
    "redis_url",
    envvar=REDIS_URL,
    show_envvar=True,
    metavar="URL",
    help="Use this empty database instead of an embedded Redis. It is emptied again.",
)
def command(redis_url: str | None) -> int:
    """Show the whole loop on embedded brokers: publish, record, replay, catch a breaking change, deploy in order.

    This needs a checkout, because it runs the reference services. Afterwards, everything is stopped and removed. Only
    a site of the contracts stays. Its path is printed.
    """
    started = time.monotonic()
    outcome = demo(click.echo, redis_url)
    seconds = time.monotonic() - started
    if outcome.green and outcome.red and outcome.in_order:
        click.echo(
            f"\nVerdict: {counted(outcome.recorded, 'recorded message')} replayed green in both services, "
            "the breaking change was caught before it shipped, and the producer waited for its reader "
            f"({seconds:.0f} s)."
        )
        return CLEAN
    click.echo(
        "\nVerdict: the demo failed: "
        + ("the replay is red." if not outcome.green else "a change, or a deployment, was not caught.")
    )
    return FINDINGS
