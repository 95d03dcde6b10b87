"""`catchment count`: ask what no release has, with noise, out of a budget."""

from datetime import datetime
from typing import Annotated

import typer

from app.charts.descriptions import interval_label
from app.commands.hubs import open_hub
from app.commands.measures import IdOrFile, definition
from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.services import noisy_counts
from app.services.noisy_counts import MILLIONTHS
from app.store.noisy_counts import NoisyCount
from app.store.sessions import read_session

app = typer.Typer(
    help="Ad hoc counts of the network, with noise out of a budget. Off by default.",
    no_args_is_help=True,
)
INTERVALS = {interval.months: interval for interval in Interval}


@app.command()
def ask(
    measure: IdOrFile,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], help="Its first month.")
    ],
    epsilon: Annotated[
        float, typer.Option(min=0.001, help="What it may cost; less is noisier.")
    ],
    interval: Annotated[
        Interval, typer.Option(help="How long it is.")
    ] = Interval.QUARTER,
) -> None:
    """
    Count the people of one closed interval, with noise.

    The definition need not be loaded. Asked again, the answer is the same and free.
    """
    hub = open_hub()
    for each in definition(measure).measures:
        told = noisy_counts.ask(
            hub,
            each,
            interval=interval,
            start=month_number(start.year, start.month),
            epsilon=epsilon,
        )
        typer.echo(_line(told))


@app.command()
def ledger() -> None:
    """Tell what was asked so far, and what is left of the budget."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        found = noisy_counts.read_ledger(session, hub)
    for count in found.counts:
        typer.echo(_line(count))
    left = found.budget - found.spent
    typer.echo(
        f"epsilon {left / MILLIONTHS:g} is left of {found.budget / MILLIONTHS:g}"
    )


def _line(count: NoisyCount) -> str:
    label = interval_label(count.interval_start, INTERVALS[count.interval_months])
    n, d = count.numerator, count.numerator + count.others
    return (
        f"{count.measure_code}, {label}: about {n} of {d},"
        f" in a population of about {d + count.uncounted}"
        f" (epsilon {count.epsilon_millionths / MILLIONTHS:g})"
    )
