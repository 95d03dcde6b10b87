"""Real input end to end: what was stored, and what it counts to, against raw files."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console
from sqlalchemy import text

from app.demonstration import Place, demonstrate, folder_sources
from app.domain.clinics import Audience
from app.domain.counts import Interval
from app.domain.records import Content
from app.main import hub_of
from app.services.hub import Hub
from app.services.series import Viewer, Wanted
from app.services.viewed_series import find_series
from app.store.sessions import read_session

pytestmark = [pytest.mark.early, pytest.mark.thorough]

CLINICS = 4
TYPES = ("Patient", "Encounter", "Observation", "Condition")
UNREADABLE_UNITS = {"M/uL"}
"""Refused with an error: M is no prefix or unit of UCUM, and could be two things."""
MONTHS = [(year, month) for year in range(2012, 2019) for month in range(2, 13, 2)]


@pytest.fixture(scope="module")
def raw(shared: Path) -> dict[str, list[dict[str, Any]]]:
    folder = shared / "data" / "synthea_2019"
    return {
        name: [
            json.loads(line, parse_float=Decimal)
            for line in gzip.open(folder / f"{name}.ndjson.gz")
        ]
        for name in TYPES
    }


@pytest.fixture(scope="module")
def hub(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub after `catchment demo --data` sent bundles and NDJSON of one network."""
    place = Place(folder=tmp_path_factory.mktemp("demo"))
    console = Console(quiet=True)
    sources = folder_sources(
        shared / "data" / "synthea_2019", clinics=CLINICS, notes=console
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CATCHMENT_PORT", "0")  # another process begins at the usual one
        demonstrate(place, sources, console=console, stay=False)
    hub = hub_of(place.settings())
    yield hub
    hub.engine.dispose()


def test_each_resource_is_stored_once_though_bundles_and_ndjson_hold_the_same(hub, raw):
    """12 of the 123 patients come twice: as a transaction Bundle and as NDJSON."""
    with read_session(hub.engine) as session:
        rows = session.connection().execute(
            text("SELECT type, COUNT(*) FROM record WHERE state = 1 GROUP BY type")
        )
        stored = {TYPES[kind - 1]: count for kind, count in rows}

    refused = sum(map(has_unreadable_unit, raw["Observation"]))
    expected = {name: len(resources) for name, resources in raw.items()}
    expected["Observation"] -= refused
    assert refused == 1
    assert stored == expected


def test_each_code_is_stored_as_often_as_it_was_sent(hub, raw):
    """Panels and components included; nothing is lost on the way, code by code."""
    sent: Counter[str] = Counter()
    for resource in raw["Observation"] + raw["Condition"]:
        if not has_unreadable_unit(resource):
            for part in (resource, *resource.get("component", ())):
                sent.update(coding["code"] for coding in part["code"]["coding"])

    kept: Counter[str] = Counter()
    decoder = msgspec.json.Decoder(Content)
    with read_session(hub.engine) as session:
        for (content,) in session.connection().execute(
            text("SELECT content FROM record WHERE state = 1 AND type IN (3, 4)")
        ):
            record = decoder.decode(content)
            for part in (record, *getattr(record, "components", ())):
                kept.update(coding.code for coding in part.code)

    assert kept == sent


@pytest.mark.parametrize("measure", ["hba1c-poor-control", "bp-control"])
def test_the_measure_equals_a_plain_recount_of_the_raw_files(hub, raw, measure):
    """42 months of two measures, from raw JSON by a few lines of plain Python."""
    expected = {"hba1c-poor-control": hba1c, "bp-control": pressure}[measure]

    counted: Counter[tuple[int, int, str]] = Counter()
    with read_session(hub.engine) as session:
        for clinic_id in range(1, CLINICS + 1):
            viewer = Viewer(audience=Audience.MEMBERS, clinic_id=clinic_id)
            wanted = Wanted(clinic=f"clinic-{clinic_id}", interval=Interval.MONTH)
            for cell in find_series(session, hub, viewer, measure, wanted).cells:
                year, month = divmod(cell.interval_start, 12)
                counted[year, month + 1, "n"] += cell.numerator or 0
                counted[year, month + 1, "d"] += cell.denominator or 0

    series = [(counted[y, m, "n"], counted[y, m, "d"]) for y, m in MONTHS]
    recount = [expected(raw, year, month) for year, month in MONTHS]
    assert series == recount
    assert sum(d for _, d in recount) > 100


# The recount, as plain as can be: months are year * 12 + month, days are New York's.


def hba1c(raw, year, month):
    people = population(raw, year, month, {"44054006", "46635009", "73211009"}, 76)
    found = in_force(
        raw, year, month, lambda o: [v] if (v := number(o, "4548-4", "%")) else []
    )
    poor = [p for p in people if p not in found or min(found[p])[0] > 9]
    return len(poor), len(people)


def pressure(raw, year, month):
    people = population(raw, year, month, {"59621000", "38341003"}, 86)
    found = in_force(raw, year, month, pressures)
    scored = [p for p in people if p in found]
    good = [
        p
        for p in scored
        if min(high for high, _ in found[p]) < 140
        and min(low for _, low in found[p]) < 90
    ]
    return len(good), len(scored)


def population(raw, year, month, codes, below):
    now, seen, ill = 12 * year + month, set(), set()
    for visit in raw["Encounter"]:
        if (
            visit["class"]["code"] == "AMB"
            and now - 12 < month_of(visit["period"]["start"]) <= now
        ):
            seen.add(visit["subject"]["reference"])
    for condition in raw["Condition"]:
        code = condition["code"]["coding"][0]["code"]
        end = condition.get("abatementDateTime")
        begun = month_of(condition["onsetDateTime"]) <= now
        if code in codes and begun and (end is None or month_of(end) > now):
            ill.add(condition["subject"]["reference"])
    return {
        name
        for patient in raw["Patient"]
        if (name := f"urn:uuid:{patient['id']}") in seen & ill
        and 18 * 12 <= now - month_of(patient["birthDate"]) < below * 12
        and not (
            "deceasedDateTime" in patient
            and month_of(patient["deceasedDateTime"]) <= now
        )
    }


def in_force(raw, year, month, read):
    """The readings of each person's latest day that has any, in the last 12 months."""
    now = 12 * year + month
    days: Any = defaultdict(lambda: defaultdict(list))
    for observation in raw["Observation"]:
        day = local_day(observation["effectiveDateTime"])
        if values := read(observation):
            days[observation["subject"]["reference"]][day].append(values)
    latest = {}
    for person, by_day in days.items():
        past = [d for d in by_day if 12 * d.year + d.month <= now]
        if past and now - 12 * max(past).year - max(past).month < 12:
            latest[person] = by_day[max(past)]
    return latest


def pressures(observation):
    parts = observation.get("component", ())
    found = [number(p, code, "mm[Hg]") for code in ("8480-6", "8462-4") for p in parts]
    found = [value for value in found if value is not None]
    return found if len(found) == 2 else []


def number(part, code, unit) -> Decimal | None:
    quantity = part.get("valueQuantity", {})
    if part["code"]["coding"][0]["code"] != code or quantity.get("code") != unit:
        return None
    return round(Decimal(quantity["value"]), 3)


def local_day(moment) -> date:
    if len(moment) == 10:
        return date.fromisoformat(moment)
    return (
        datetime.fromisoformat(moment).astimezone(ZoneInfo("America/New_York")).date()
    )


def month_of(moment):
    day = local_day(moment)
    return 12 * day.year + day.month


def has_unreadable_unit(resource):
    return resource.get("valueQuantity", {}).get("code") in UNREADABLE_UNITS
