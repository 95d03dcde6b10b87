"""
Pictures of a release over HTTP: drawn, served from the cache, and not sent again.

A release of 36 months of a network of a dozen clinics. Each drawing is another question
than those before, so nothing is remembered of it; what is asked again is. Times are
medians, in process, from the request to the whole answer.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.domain.clinics import Audience, ClinicStatus
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.pictures import warm_up
from app.services.registry import NewClinic, enrol_clinic
from app.store import clinics
from app.store.releases import add_release, save_cells
from app.store.sessions import write_session
from bench.targets import Target, tell
from tests.released_hub import FIRST, MEASURE, app_of, published, small_hub, token

MONTHS = 36
CLINICS = 12
DRAWN_MS, CACHED_MS = 150, 5
PATHS = ("chart.svg", "chart.png", "spark.svg", "clinics.svg", "multiples.svg")
ROUNDS = 9
ASKED_AGAIN = 40


def publish(hub: Hub) -> None:
    """Release the months of a dozen clinics and of the network."""
    with write_session(hub.engine) as session:
        ids = []
        for number in range(CLINICS):
            code = f"clinic-{number}"
            enrol_clinic(
                session,
                NewClinic(
                    code=code,
                    name=f"Clinic {number}",
                    status=ClinicStatus.ACTIVE,
                    time_zone="America/New_York",
                ),
            )
            ids.append(clinics.required_clinic(session, code).id)
        cells = [published(600 + i, 1000, FIRST + i) for i in range(MONTHS)]
        for number, clinic in enumerate(ids):
            cells += [
                published(40 + (i * 7 + number * 5) % 23, 80, FIRST + i, clinic=clinic)
                for i in range(MONTHS)
            ]
        release_id = add_release(
            session,
            audience=Audience.MEMBERS,
            created_at=hub.clock(),
            closed_before=FIRST + MONTHS,
            rules_digest="r",
            policy_digest="p",
            summary={},
        )
        save_cells(session, release_id, measure_rows(session, hub)[MEASURE].id, cells)


async def milliseconds(
    ask: Callable[[int], Awaitable[httpx.Response]], rounds: int, *, status: int = 200
) -> float:
    """Return the median time of an answer; *ask* is given the number of the round."""
    times = []
    for number in range(rounds):
        started = time.perf_counter()
        answer = await ask(number)
        times.append(1000 * (time.perf_counter() - started))
        assert answer.status_code == status, (answer.status_code, answer.text)
    return statistics.median(times)


async def measure(hub: Hub) -> list[Target]:
    """Ask for every picture anew, again, and with its tag."""
    headers = token(hub, "app")
    transport = httpx.ASGITransport(app=app_of(hub))
    targets = []
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        for path in PATHS:
            url = f"/v1/measures/{MEASURE}/{path}"

            async def anew(number: int, url: str = url) -> httpx.Response:
                # An end far away: another question, and the same months.
                asked = {"to": f"{2040 + number}-01-01"}
                return await http.get(url, params=asked, headers=headers)

            async def again(_: int, url: str = url) -> httpx.Response:
                return await http.get(url, headers=headers)

            tag = (await again(0)).headers["ETag"]

            async def known(_: int, url: str = url, tag: str = tag) -> httpx.Response:
                return await http.get(url, headers=headers | {"If-None-Match": tag})

            forget()
            drawn = await milliseconds_drawn(anew)
            cached = await milliseconds(again, ASKED_AGAIN)
            unsent = await milliseconds(known, ASKED_AGAIN, status=304)
            targets += [
                Target(f"{path} drawn, ms", drawn, DRAWN_MS),
                Target(f"{path} from the cache, ms", cached, CACHED_MS),
                Target(f"{path} not sent again (304), ms", unsent, CACHED_MS),
            ]
    return targets


async def milliseconds_drawn(
    ask: Callable[[int], Awaitable[httpx.Response]],
) -> float:
    """Return the median time of a drawing: nothing is remembered of a specification."""

    async def forgetful(number: int) -> httpx.Response:
        forget()
        return await ask(number)

    return await milliseconds(forgetful, ROUNDS)


def forget() -> None:
    """Forget pictures of the same specification."""
    from app.services import pictures  # noqa: PLC0415  (its memory is its own)

    pictures._rendered.cache_clear()  # noqa: SLF001


def main() -> int:
    """Measure, and tell what was met."""
    started = time.perf_counter()
    warm_up()
    print(f"the library loaded in {time.perf_counter() - started:.1f} s, at the start")
    with TemporaryDirectory(prefix="catchment-bench-") as folder:
        hub = small_hub(Path(folder))
        publish(hub)
        targets = asyncio.run(measure(hub))
        hub.engine.dispose()
    return tell(targets)


if __name__ == "__main__":
    sys.exit(main())
