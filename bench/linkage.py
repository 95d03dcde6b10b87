"""
How well tokens tell one person at two clinics, and what a Patient costs.

A made-up population of 100,000 persons (``--quick``: a tenth), of whom a fifth are at
both clinics. Chosen so as to be neither kinder nor harsher than registries are told to
be: first names of each sex and last names are as unequal as in the United States (the
commonest has 2 and 0.9 per cent), births are spread over 80 years, 3 in 100 are twins,
and 2 in 100 have the whole name of a parent. Each clinic writes each person down anew:

- a letter is dropped, added, changed or exchanged with the next in 2 per cent of first
  and 2 of last names; a short form stands for 5 per cent of the names that have one;
- of 4 in 5 who have a middle name it is known at half of the visits, as an initial at
  three in ten;
- a digit of the birth date is wrong in 0.7 per cent, day and month exchanged in 0.2;
- the sex is unknown in 0.5 per cent and wrong in 0.1;
- 4 per cent have two last names, of which one is left out by a third;
- of women 4 per cent have another last name at the second clinic, which knows the old
  one of half of them.
"""

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate, combinations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from app.deid.clusters import clusters, link_between
from app.deid.linkage import linkage_tokens
from app.deid.names import FORMAL
from app.deid.pseudonyms import KeyRing
from app.domain.clinics import Source
from app.domain.identified import IdentifiedPatient, StatedDate, StatedName
from app.domain.linkage import Person, TokenKind
from app.services.linkage import relink
from app.store.linkage import replace_tokens
from app.store.migrations import migrate
from app.store.sessions import open_engine, write_session
from app.store.tables import metadata
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
PERSONS = 10_000 if QUICK else 100_000
FIRST_NAMES, LAST_NAMES = 2_000, 20_000
AT_BOTH = 0.2
NEW_PATIENTS = 200
FIRST_BIRTH, BIRTH_DAYS = date(1940, 1, 1), 80 * 365
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SOUNDS = ("b br c ch d f g gr h j k l m n p qu r s st t v w z", "a e i o u ai ee ie ou")
CHANCE = random.Random(20_261)
KEYS = KeyRing(network="bench", current=1, masters={1: b"\1" * 32})
SOURCE = Source(
    source_id=1,
    clinic_id=1,
    base_urls=(),
    identifier_systems=frozenset(),
    time_zone="America/New_York",
)
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Someone:
    """A person, as they are."""

    first: str
    middle: str
    last: str
    born: date
    sex: str


class Measured(NamedTuple):
    """The share of pairs found that are true, and of true pairs that are found."""

    precision: float
    recall: float


def unequal(names: list[str], most: float) -> Callable[[], str]:
    """Return what draws from *names*, of which the first has about *most* of all."""
    offset = 1 / (most * 8)
    weights = list(accumulate(1 / (rank + offset) for rank in range(len(names))))
    return lambda: CHANCE.choices(names, cum_weights=weights)[0]


def made_up(count: int, known: Iterable[str] = ()) -> list[str]:
    """Return names, the *known* ones among the common."""
    starts, vowels = (sounds.split() for sounds in SOUNDS)
    names = dict.fromkeys(known)
    while len(names) < count:
        syllables = CHANCE.choice([2, 2, 3])
        name = "".join(
            CHANCE.choice(starts) + CHANCE.choice(vowels) for _ in range(syllables)
        )
        names[name + CHANCE.choice(["", "n", "r", "s", "l", "tt"])] = None
    return list(names)


def population() -> list[Someone]:
    """Return everybody, twins and namesakes included."""
    formal = sorted(set(FORMAL.values()))
    first = {
        sex: unequal(made_up(FIRST_NAMES, formal[half::2]), 0.02)
        for half, sex in enumerate(("male", "female"))
    }
    last = unequal(made_up(LAST_NAMES), 0.009)
    people: list[Someone] = []
    while len(people) < PERSONS:
        sex = CHANCE.choice(["male", "female"])
        middle = first[sex]() if CHANCE.random() < 0.8 else ""
        double = f"-{last()}" if CHANCE.random() < 0.04 else ""
        born = FIRST_BIRTH + timedelta(CHANCE.randrange(BIRTH_DAYS))
        someone = Someone(first[sex](), middle, last() + double, born, sex)
        people.append(someone)
        if CHANCE.random() < 0.015:
            other = (
                sex if CHANCE.random() < 2 / 3 else CHANCE.choice(["male", "female"])
            )
            twin = replace(
                someone, first=first[other](), middle=first[other](), sex=other
            )
            people.append(twin)
        if CHANCE.random() < 0.02:
            later = timedelta(CHANCE.randrange(20 * 365, 40 * 365))
            people.append(replace(someone, born=born + later))
    return people[:PERSONS]


def misspelt(name: str) -> str:
    """Return *name* with one letter dropped, added, changed or exchanged."""
    at = CHANCE.randrange(len(name))
    letter = CHANCE.choice(LETTERS)
    return CHANCE.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at:],
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :],
        ]
    )


def written_first(name: str, shorts: Mapping[str, list[str]]) -> str:
    """Return a first name as somebody types it."""
    if name in shorts and CHANCE.random() < 0.05:
        return CHANCE.choice(shorts[name])
    return misspelt(name) if CHANCE.random() < 0.02 else name


def written_last(name: str) -> str:
    """Return a last name as somebody types it."""
    if "-" in name and CHANCE.random() < 1 / 3:
        name = CHANCE.choice(name.split("-"))
    return misspelt(name) if CHANCE.random() < 0.02 else name


def written_middle(name: str) -> list[str]:
    """Return what is known of a middle name."""
    known = CHANCE.random()
    if not name or known < 0.2:
        return []
    return [name[:1] if known < 0.5 else name]


def written_birth(born: date) -> str:
    """Return a date of birth as somebody types it."""
    wrong = CHANCE.random()
    if wrong < 0.002 and born.day <= 12:
        return f"{born.year}-{born.day:02}-{born.month:02}"
    if wrong < 0.009:
        return (
            born + timedelta(CHANCE.choice([-1000, -100, -10, -1, 1, 10, 30]))
        ).isoformat()
    return born.isoformat()


def written_sex(sex: str) -> str | None:
    """Return a sex as somebody enters it, if they do."""
    wrong = CHANCE.random()
    if wrong < 0.005:
        return None
    return {"male": "female", "female": "male"}[sex] if wrong < 0.006 else sex


class Clinic:
    """What a clinic writes down of whom it sees."""

    def __init__(self, *, new_names: Callable[[], str] | None = None) -> None:
        self._new_names = new_names
        self._shorts: dict[str, list[str]] = defaultdict(list)
        for short, formal in FORMAL.items():
            self._shorts[formal].append(short)

    def patient(self, someone: Someone) -> IdentifiedPatient:
        """Return the Patient that stands for *someone*."""
        given = (
            written_first(someone.first, self._shorts),
            *written_middle(someone.middle),
        )
        names = [StatedName(use=None, family=written_last(someone.last), given=given)]
        if self._new_names and someone.sex == "female" and CHANCE.random() < 0.04:
            (old,) = names
            names = [StatedName(use=None, family=self._new_names(), given=given)]
            if CHANCE.random() < 0.5:
                names.append(StatedName(use="maiden", family=old.family, given=()))
        return IdentifiedPatient(
            names=tuple(names),
            gender=written_sex(someone.sex),
            birth_date=StatedDate(written_birth(someone.born), "Patient.birthDate"),
            death_date=None,
            deceased=None,
            state=None,
            postal_code=None,
        )


def measured(found: set[Pair], true: set[Pair]) -> Measured:
    """Return how good *found* pairs are."""
    right = len(found & true)
    return Measured(right / max(len(found), 1), right / len(true))


def pairs_of(
    groups: Iterable[Iterable[int]], people: Mapping[int, Person]
) -> set[Pair]:
    """Return the pairs within *groups* that are of two clinics."""
    return {
        (one, other)
        for group in groups
        for one, other in combinations(sorted(group), 2)
        if people[one].clinic_id != people[other].clinic_id
    }


def rules(
    people: Mapping[int, Person], true: set[Pair]
) -> Iterator[tuple[str, Measured]]:
    """Yield what each rule finds by itself, before a chain is cut."""
    holders: dict[tuple[TokenKind, bytes], list[int]] = defaultdict(list)
    for subject, person in people.items():
        for kind, _, token in person.tokens:
            holders[kind, token].append(subject)
    shared: dict[TokenKind, set[Pair]] = {}
    for kind in TokenKind:
        if kind is not TokenKind.MIDDLE:
            groups = [who for (of, _), who in holders.items() if of is kind]
            shared[kind] = pairs_of(groups, people)
            yield f"{kind.name} alone", measured(shared[kind], true)
    strengths = {
        pair: link_between(people[pair[0]], people[pair[1]])
        for pair in set().union(*shared.values())
    }
    for least, name in (
        (3, "full name"),
        (2, "one strong token"),
        (1, "two weak tokens"),
    ):
        found = {pair for pair, strength in strengths.items() if strength >= least}
        yield f"links by {name} or better", measured(found, true)


def milliseconds_each(people: Mapping[int, Person]) -> float:
    """Return what it takes to link one more Patient, all others being stored."""
    chosen = CHANCE.sample(sorted(people), NEW_PATIENTS)
    with TemporaryDirectory(prefix="catchment-bench-") as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'hub.db'}")
        migrate(engine)
        with engine.begin() as connection:
            clinics = [
                {"id": n, "code": f"c{n}", "name": f"{n}", "status": "active"}
                for n in (1, 2)
            ]
            connection.execute(metadata.tables["clinic"].insert(), clinics)
            rows = [{"id": i, "clinic_id": p.clinic_id} for i, p in people.items()]
            connection.execute(metadata.tables["subject"].insert(), rows)
        stored = people.keys() - set(chosen)
        with write_session(engine) as session:
            replace_tokens(session, {i: people[i].tokens for i in stored})
        spent = []
        for subject in chosen:
            with write_session(engine) as session:
                started = time.perf_counter()
                relink(session, {subject: people[subject].tokens})
                spent.append(time.perf_counter() - started)
        engine.dispose()
    return 1000 * median(spent)


def measure() -> Iterator[Target]:
    """Print what each rule finds, and yield what came of each target."""
    persons = population()
    ways = (Clinic(), Clinic(new_names=unequal(made_up(LAST_NAMES), 0.009)))
    people: dict[int, Person] = {}
    true: set[Pair] = set()
    spent = 0.0
    for number, someone in enumerate(persons):
        where = CHANCE.random()
        clinics = (
            (1, 2) if where < AT_BOTH else ((1,) if where < (1 + AT_BOTH) / 2 else (2,))
        )
        for clinic in clinics:
            patient = ways[clinic - 1].patient(someone)
            started = time.perf_counter()
            tokens = linkage_tokens(patient, keys=KEYS, source=SOURCE)
            spent += time.perf_counter() - started
            people[2 * number + clinic] = Person(clinic, frozenset(tokens))
        if len(clinics) > 1:
            true.add((2 * number + 1, 2 * number + 2))
    print(
        f"{len(persons)} persons, {len(people)} Patients, {len(true)} at both",
        flush=True,
    )
    for name, of in rules(people, true):
        print(
            f"{name}: precision {of.precision:.4f}, recall {of.recall:.4f}", flush=True
        )
    found = measured(pairs_of(clusters(people), people), true)
    yield Target("precision of all", found.precision, 0.99, is_most=False)
    yield Target("recall of all", found.recall, 0.90, is_most=False)
    yield Target("tokens of a Patient, ms", 1000 * spent / len(people), 1)
    yield Target("linking one more, ms", milliseconds_each(people), 10)


def main() -> int:
    """Measure, and say what is met."""
    return tell(measure())


if __name__ == "__main__":
    sys.exit(main())
