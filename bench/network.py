"""A large network's facts, made with numpy and loaded past the doors."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from app.domain.calendar import month_number
from app.domain.records import RecordType
from app.domain.terminology import Coding
from app.measures.definitions import Measure, coding_of

CLINICS = 20
FIRST_MONTH = month_number(2022, 1)
MONTHS = 48
FACTS_EACH = 50
VISITS_EACH = 10
CONDITIONS_EACH = 2
WHEN_SEEN = 0.8
"""How often an observable of a person's disease is found at a visit."""
OTHER_LABORATORY = tuple(Coding("http://loinc.org", f"{n}-0") for n in range(1, 9))
CUT_OFFS = frozenset({"below", "at_most", "exactly", "at_least", "above"})
Numbers = NDArray[np.int64]
Columns = Mapping[str, Numbers]
NONE = np.iinfo(np.int64).min
"""Stands for NULL in a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The rows of each table by column, in the order of its primary key."""

    codings: tuple[Coding, ...]
    subject: Columns
    observation: Columns
    condition: Columns
    visit: Columns

    def tables(self) -> Iterator[tuple[str, Columns]]:
        """Yield the tables that are of numbers alone."""
        for name in ("subject", "observation", "condition", "visit"):
            yield name, getattr(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """What a measure looks at: who has it, how old they are, what is measured."""

    ages: tuple[int, int]
    condition: str | None
    found: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """The codes and the answers of each observable."""
    scale: float

    @classmethod
    def of(cls, measure: Measure) -> "Disease":
        """Return what *measure* looks at."""
        said = msgspec.to_builtins(measure)
        words = list(_words(said))
        ages = [value for word, value in words if word == "age"]
        conditions = [value for word, value in words if word == "condition"]
        named = [name for name in conditions if isinstance(name, str)]
        cut_offs = [value for word, value in words if word in CUT_OFFS]
        numbers = [value for value in cut_offs if isinstance(value, int | float)]
        age = ages[0] if ages else {}
        young = age.get("from", 2)
        below = age.get("below")
        return cls(
            ages=(young, young + 16 if below is None else below),
            condition=measure.value_sets[named[0]][0] if named else None,
            found=tuple(
                (measure.value_sets[o.codes], o.answers)
                for o in measure.observables.values()
            ),
            scale=max([*numbers, 1]),
        )


def _words(said: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (plain data)
    if isinstance(said, dict):
        for word, value in said.items():
            yield word, value
            yield from _words(value)
    if isinstance(said, list | tuple):
        for each in said:
            yield from _words(each)


def facts(measures: Iterable[Measure], subjects: int) -> Facts:
    """Return 50 facts for each of *subjects*, who share out the measures' diseases."""
    random = np.random.default_rng(20_240_101)
    diseases = [Disease.of(measure) for measure in measures]
    codings = _codings(diseases)
    ids = {coding: number for number, coding in enumerate(codings, 1)}
    person = np.arange(1, subjects + 1)
    disease = person % len(diseases)
    ages = np.array([each.ages for each in diseases])[disease]
    years = random.integers(ages[:, 0], ages[:, 1])
    subject = {
        "id": person,
        "clinic_id": 1 + person % CLINICS,
        "birth_month": FIRST_MONTH + MONTHS // 2 - 12 * years,
        "sex": 1 + random.integers(0, 2, subjects),
        "death_month": np.where(
            random.random(subjects) < 0.01, FIRST_MONTH + MONTHS - 6, NONE
        ),
    }
    visit = _visits(random, person, ids)
    found = [
        _found(random, each, visit, disease == n, ids)
        for n, each in enumerate(diseases)
    ]
    have = sum(len(each["day"]) for each in found)
    wanted = subjects * (FACTS_EACH - VISITS_EACH - CONDITIONS_EACH)
    others = _others(random, person, max(wanted - have, 0), ids)
    return Facts(
        codings=codings,
        subject=subject,
        observation=_observations([*found, others]),
        condition=_conditions(random, person, disease, diseases, ids),
        visit=visit,
    )


def _codings(diseases: Iterable[Disease]) -> tuple[Coding, ...]:
    stated = {"act-code|AMB", "icd-10-cm|Z00.0"}
    for each in diseases:
        stated |= {each.condition} if each.condition else set()
        stated |= {code for codes, answers in each.found for code in codes + answers}
    named = {coding_of(code.replace("*", "0")) for code in stated}
    return (*sorted(named), *OTHER_LABORATORY)


def _days(random: np.random.Generator, shape: int) -> Numbers:
    first = np.datetime64("2022-01-01").astype(int)
    return random.integers(first, first + 365 * MONTHS // 12, shape)


def _months(day: Numbers) -> Numbers:
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months + month_number(1970, 1)


def _ordered(columns: Columns, key: tuple[str, ...]) -> Columns:
    order = np.lexsort([columns[name] for name in reversed(key)])
    return {name: column[order] for name, column in columns.items()}


def _visits(
    random: np.random.Generator, person: Numbers, ids: Mapping[Coding, int]
) -> Columns:
    who = np.repeat(person, VISITS_EACH)
    day = _days(random, len(who))
    columns = {
        "subject_id": who,
        "day": day,
        "record_id": np.arange(1, len(who) + 1),
        "month": _months(day),
        "class_concept_id": np.full(len(who), ids[coding_of("act-code|AMB")]),
    }
    return _ordered(columns, ("subject_id", "day", "record_id"))


def _found(
    random: np.random.Generator,
    disease: Disease,
    visit: Columns,
    has_it: NDArray[np.bool_],
    ids: Mapping[Coding, int],
) -> Columns:
    """Return what is measured at the visits of those who have a disease."""
    at = np.flatnonzero(has_it[visit["subject_id"] - 1])
    parts = []
    for codes, answers in disease.found:
        here = at[random.random(len(at)) < WHEN_SEEN]
        value = random.integers(0, int(2000 * disease.scale), len(here))
        answer = np.full(len(here), NONE)
        if answers:
            known = np.array([ids[coding_of(code)] for code in answers])
            answer, value = random.choice(known, len(here)), np.full(len(here), NONE)
        code = ids[coding_of(codes[0].replace("*", "0"))]
        parts.append(
            {
                "subject_id": visit["subject_id"][here],
                "concept_id": np.full(len(here), code),
                "day": visit["day"][here],
                "month": visit["month"][here],
                "value": value,
                "value_concept_id": answer,
                "encounter_id": visit["record_id"][here],
            }
        )
    return _together(parts)


def _others(
    random: np.random.Generator, person: Numbers, count: int, ids: Mapping[Coding, int]
) -> Columns:
    """Return results that no measure looks at."""
    day = _days(random, count)
    codes = np.array([ids[coding] for coding in OTHER_LABORATORY])
    return {
        "subject_id": random.choice(person, count),
        "concept_id": random.choice(codes, count),
        "day": day,
        "month": _months(day),
        "value": random.integers(0, 100_000, count),
        "value_concept_id": np.full(count, NONE),
        "encounter_id": np.zeros(count, np.int64),
    }


def _together(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _observations(parts: list[Columns]) -> Columns:
    columns = dict(_together(parts))
    number = len(columns["day"])
    columns["record_id"] = 10**9 + np.arange(number)
    columns["part"] = np.zeros(number, np.int64)
    key = ("subject_id", "concept_id", "day", "record_id", "part")
    names = (*key, "month", "value", "value_concept_id", "encounter_id")
    return _ordered({name: columns[name] for name in names}, key)


def _conditions(
    random: np.random.Generator,
    person: Numbers,
    disease: Numbers,
    diseases: list[Disease],
    ids: Mapping[Coding, int],
) -> Columns:
    """Return for each person the disease and another condition."""
    other = ids[coding_of("icd-10-cm|Z00.0")]
    codes = [
        ids[coding_of(each.condition.replace("*", "0"))] if each.condition else other
        for each in diseases
    ]
    count = len(person)
    columns = {
        "subject_id": np.tile(person, 2),
        "concept_id": np.concatenate([np.array(codes)[disease], np.full(count, other)]),
        "record_id": 2 * 10**9 + np.arange(2 * count),
        "onset_month": FIRST_MONTH - 12 + random.integers(0, 36, 2 * count),
        "abatement_month": np.full(2 * count, NONE),
    }
    return _ordered(columns, ("subject_id", "concept_id", "record_id"))


def load_sqlite(path: str, made: Facts) -> None:
    """Load facts into a migrated database that is empty."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    for table, columns, rows in _texts(made):
        marks = ", ".join("?" * len(columns))
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        connection.executemany(into, rows)
    for table, numbers in made.tables():
        marks = ", ".join("?" * len(numbers))
        into = f"INSERT INTO {table} ({', '.join(numbers)}) VALUES ({marks})"
        rows = list(zip(*map(_nullable, numbers.values()), strict=True))
        connection.executemany(into, rows)
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()


def _nullable(column: Numbers) -> list[int | None]:
    values = column.astype(object)
    values[column == NONE] = None
    return list(values)


def load_postgresql(url: str, made: Facts) -> None:
    """Load facts into a migrated database that is empty."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, columns, rows in _texts(made):
            into = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            with connection.cursor().copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
        for table, numbers in made.tables():
            into = f"COPY {table} ({', '.join(numbers)}) FROM STDIN (FORMAT csv)"
            with connection.cursor().copy(into) as copy:
                copy.write(_csv(numbers))
        connection.execute("VACUUM ANALYZE")


def _csv(columns: Columns) -> bytes:
    arrays = [pa.array(column, mask=column == NONE) for column in columns.values()]
    out = pa.BufferOutputStream()
    options = csv.WriteOptions(include_header=False)
    csv.write_csv(pa.table(arrays, names=list(columns)), out, options)
    return bytes(out.getvalue().to_pybytes())


def _texts(made: Facts) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """Yield the rows of the tables that hold texts; a subject is here by its record."""
    codings = enumerate(made.codings, 1)
    concepts = [(n, coding.system, coding.code) for n, coding in codings]
    yield "concept", ("id", "system", "code"), concepts
    clinics = range(1, CLINICS + 1)
    named = [(n, f"clinic-{n}", f"Clinic {n}", "active") for n in clinics]
    yield "clinic", ("id", "code", "name", "status"), named
    source = {"id": 1, "clinic_id": 1, "name": "ehr", "base_urls": "[]"}
    source |= {"identifier_systems": "[]", "time_zone": "UTC", "padded_dates": False}
    yield "source", tuple(source), [tuple(source.values())]
    record = {"type": RecordType.PATIENT.value, "source_id": 1, "encounter_id": 0}
    record |= {"version": 1, "state": 1, "policy_digest": "", "received_at": 0}
    people = [(n, n, *record.values()) for n in made.subject["id"].tolist()]
    yield "record", ("id", "subject_id", *record), people
