"""
Killed at any moment, whoever it is: no line that was acknowledged is lost.

Real processes, killed without a word while clinics send: servers, the worker, readers,
PostgreSQL and the processes behind its connections; some are told to end, as for a new
version. ``KILLS_SEED`` in the environment
makes a run's plan again.
"""

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.crashes import findings
from tests.crashes.clusters import Cluster
from tests.crashes.fetched_senders import Collections, Submissions
from tests.crashes.ledgers import Ledger
from tests.crashes.nursery import Born, Nursery
from tests.crashes.senders import (
    NamedUploads,
    Sender,
    SingleResources,
    SlowUploads,
    Transactions,
    WholeUploads,
)
from tests.crashes.sites import Site

pytestmark = pytest.mark.thorough

ON_POSTGRESQL = Counter(server=6, worker=6, reader=6, backend=5, postmaster=4, anyone=4)
KINDS = (
    NamedUploads,
    SlowUploads,
    WholeUploads,
    Transactions,
    SingleResources,
    Submissions,
    Collections,
)
"""Who sends meanwhile: a new door's sender is added here."""
ON_SQLITE = Counter(server=5, reader=3, anyone=2)
BETWEEN_SECONDS = 0.4
"""The longest pause between two kills."""
VICTIM_SECONDS = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may come to, unlike pytest's own."""
    with TemporaryDirectory(prefix="catchment-kills-") as name:
        yield Path(name)


@pytest.fixture
def nursery(folder: Path) -> Iterator[Nursery]:
    """Where processes are born."""
    opened = Nursery(folder)
    yield opened
    opened.close()


@pytest.fixture(params=["postgresql", "sqlite"])
def site(
    request: pytest.FixtureRequest, folder: Path, nursery: Nursery
) -> Iterator[Site]:
    """A hub of several processes on PostgreSQL, or one on SQLite."""
    if request.param == "sqlite":
        opened = Site(folder, nursery)
    else:
        opened = Site(folder, nursery, servers=2, cluster=Cluster(folder, nursery))
    yield opened
    opened.close()


def plan(site: Site, chosen: random.Random) -> list[str]:
    """Return whom to kill, in their order."""
    victims = sorted((ON_SQLITE if site.cluster is None else ON_POSTGRESQL).elements())
    chosen.shuffle(victims)
    return victims


def kill(site: Site, victim: str, chosen: random.Random):
    """Kill one of a kind, at a random moment of its work."""
    time.sleep(chosen.random() * BETWEEN_SECONDS)
    until = time.monotonic() + VICTIM_SECONDS
    while not site.kill(victim, chosen):
        assert time.monotonic() < until, f"there is no {victim} to kill"
        time.sleep(0.01)


def test_what_was_acknowledged_is_here_once_whoever_is_killed(site: Site):
    """After all that, the store is as if nobody had been killed."""
    seed = int(os.environ.get("KILLS_SEED") or secrets.randbelow(10**6))
    print("KILLS_SEED", seed)  # noqa: T201
    chosen, ledger = random.Random(seed), Ledger()
    site.wait()
    senders: list[Sender] = [kind(site, ledger, seed=seed) for kind in KINDS]
    with ExitStack() as stack:
        for sender in senders:
            sender.start()
            stack.callback(sender.abandon)
        for victim in plan(site, chosen):
            kill(site, victim, chosen)
        for sender in senders:
            sender.finish()
        site.wait()
        findings.settle(site.hub)
        print(ledger.repeated, len(ledger.uploads), len(ledger.last))  # noqa: T201

        assert findings.uncounted_lines(senders, ledger) == []
        assert findings.wrong_words(site.hub, senders, ledger) == []
    current = findings.current_by_sender(site.hub)
    assert current == findings.acknowledged_by_sender(ledger)
    assert findings.half_stored(site.hub) == {}
    live, anew = findings.cells_now_and_anew(site.hub)
    assert live == anew
    assert live
    assert [pid for pid in site.orphans if Born(pid).is_alive] == []
