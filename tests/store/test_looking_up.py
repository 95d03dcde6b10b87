"""A delivery finds what it meets by indexes, before anything is known of the tables."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from app.services.hub import Hub
from app.store import clinics
from app.store.sessions import read_session
from tests import make
from tests.hubs import Network
from tests.store.writers import deliver

TABLES = ("alias", "record", "subject", "observation")
RESULTS = 1_200
DELIVERIES = 8
"""PostgreSQL plans a statement anew until it has seen some values."""


def results(delivery: int) -> Iterator[dict]:
    """Yield results of people, some of whom came before."""
    for number in range(RESULTS):
        yield make.lab(
            5 + number / 1000,
            **({"id": f"r{delivery}-{number}"} if number % 2 else {}),
            day=f"2026-01-{number % 28 + 1:02}",
            subject=make.reference(f"Patient/p{delivery}-{number // 60}"),
            encounter=make.reference(f"Encounter/e{delivery}-{number // 6}"),
        )


def read_whole(engine: Engine) -> dict[str, int]:
    """Return how often each table was read whole, by connections that have ended."""
    engine.dispose()  # what a connection did is told at its end
    query = text("SELECT relname, seq_scan FROM pg_stat_user_tables")
    with engine.connect() as connection:
        found = {row.relname: row.seq_scan for row in connection.execute(query)}
    return {name: found[name] for name in TABLES}


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_no_table_is_read_whole_while_it_fills(hub: Hub):
    """Nothing is known of the tables yet: the server looks at them once a minute."""
    Network(hub, None).ehr()  # type: ignore[arg-type]
    with read_session(hub.engine) as session:
        source = clinics.required_source(session, clinic="alpha", name="ehr")
    deliver(hub, source, list(results(0)))
    before = read_whole(hub.engine)
    for number in range(1, DELIVERIES):
        deliver(hub, source, list(results(number)))
        deliver(hub, source, list(results(number)))

    assert read_whole(hub.engine) == before
