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
    """Show the whole loop on embedded brokers: publish, record, replay, and catch a breaking change.

    This needs a checkout, because it runs the reference services. Afterwards, everything is stopped and removed.
    """
    started = time.monotonic()
    outcome = demo(click.echo, redis_url)
    seconds = time.monotonic() - started
    if outcome.green and outcome.red:
        click.echo(
            f"\nVerdict: {counted(outcome.recorded, 'recorded message')} replayed green in both services, "
            f"and the breaking change was caught before it shipped ({seconds:.0f} s)."
        )
        return CLEAN
    click.echo(
        "\nVerdict: the demo failed: " + ("the change was not caught." if outcome.green else "the replay is red.")
    )
    return FINDINGS
