"""
How long the dashboard's pages take, on the demonstration's data, over HTTP.

A demonstration is made in ``build/demo`` where there is none, which takes minutes, and
served by a process of its own. Each page is asked for once as the first of its kind,
then again and again; so are a picture and its copy that was kept. ``--quick`` asks
fewer times; a folder as argument is that of another demonstration.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
from rich.console import Console

from app.demonstration import Place, demonstrate, free_port, serving, synthetic_sources
from app.main import hub_of
from app.routers.readers import MEMBERS_COOKIE, SESSION_COOKIE
from app.services import sign_ins
from app.services.hub import Hub
from app.services.invitations import members_link
from app.store import clinics
from app.store.sessions import read_session
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
TIMES = 5 if QUICK else 25
FOLDERS = [Path(each) for each in sys.argv[1:] if not each.startswith("--")]
PAGE_MS, PICTURE_MS, DRAWN_MS = 200, 5, 150
CLINIC, MEASURE = "alder-creek", "jia-low-disease-activity-visits"
SIGN_IN = {
    "CATCHMENT_OIDC_ISSUER": "http://127.0.0.1:9",
    "CATCHMENT_OIDC_CLIENT_ID": "bench",
}
"""Nobody is asked there: the bench's session is signed by the hub's own key."""
PAGES = {
    "overview": "/",
    "measure": f"/measures/{MEASURE}",
    "a clinic's series": f"/measures/{MEASURE}?clinic={CLINIC}",
    "every clinic": "/clinics",
    "one clinic": f"/clinics/{CLINIC}",
    "projects": "/projects",
    "releases": "/releases",
    "a release": "/releases/1",
    "the interface": "/docs",
}
OWN_PAGES = {
    "a clinic's own page": f"/clinics/{CLINIC}",
    "a clinic's own series": f"/measures/{MEASURE}?clinic={CLINIC}",
}
PICTURE = f"/measures/{MEASURE}/chart.svg?release=1&clinic={CLINIC}"


class Spent(NamedTuple):
    """Milliseconds: the first time, and the middle and the worst of the others."""

    first: float
    middle: float
    worst: float


def asked(client: httpx.Client, path: str) -> Spent:
    """Return how long a path takes."""
    first, *others = [_once(client, path) for _ in range(TIMES + 1)]
    return Spent(first, median(others), max(others))


def _once(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path).raise_for_status()
    return 1000 * (time.perf_counter() - began)


def readers(hub: Hub) -> Iterator[httpx.Client]:
    """Yield a member's browser, and that of a clinic's people."""
    with read_session(hub.engine) as session:
        clinic = clinics.required_clinic(session, CLINIC)
        admitted = sign_ins.admitted(hub, clinic)
    key = members_link(hub).partition("key=")[2]
    for kept in ({MEMBERS_COOKIE: key}, {SESSION_COOKIE: admitted.kept}):
        yield httpx.Client(base_url=hub.base_url, cookies=kept, timeout=60)


def measured(hub: Hub) -> list[Target]:
    """Ask for all of it; return what should be reached."""
    member, own = readers(hub)
    found = {name: asked(member, path) for name, path in PAGES.items()}
    found |= {name: asked(own, path) for name, path in OWN_PAGES.items()}
    print(f"{'':24}{'first':>8}{'middle':>8}{'worst':>8}")
    for name, spent in found.items():
        print(f"{name:24}{spent.first:8.0f}{spent.middle:8.1f}{spent.worst:8.0f} ms")
    _once(member, PICTURE.replace("chart", "spark"))  # starts what draws
    picture = asked(member, PICTURE)
    slowest = max(found, key=lambda name: found[name].middle)
    member.close()
    own.close()
    return [
        Target(f"slowest page, ms ({slowest})", found[slowest].middle, PAGE_MS),
        Target("picture drawn the first time, ms", picture.first, DRAWN_MS),
        Target("picture that was kept, ms", picture.middle, PICTURE_MS),
    ]


def main() -> int:
    """Make a demonstration where there is none, serve it, and ask."""
    place = Place(folder=FOLDERS[0] if FOLDERS else Path("build/demo"))
    if not place.finished.exists():
        today = datetime.now(UTC).date()
        sources = synthetic_sources(place.last_day(today))
        demonstrate(place, sources, console=Console(), stay=False)
    os.environ.update(SIGN_IN)
    settings = place.settings(port=free_port(place.settings().port))
    hub = hub_of(settings)
    with serving(settings, place):
        targets = measured(hub)
    hub.engine.dispose()
    return tell(targets)


if __name__ == "__main__":
    sys.exit(main())
