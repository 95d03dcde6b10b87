"""What counts say of people, put into the words of the specification's tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from app.disclosure.quantiles import quantile
from app.domain.calendar import month_number
from app.domain.counts import Basis
from app.measures.definitions import Measure
from app.measures.plans import planned
from app.measures.strata import positions, strata_of
from tests.reference.counting import NOTHING, Key, State, World
from tests.reference.manual import Rule, Table, people

MEMBERSHIPS = {
    (0, 0, 0, 0, 0, 0): "none",
    (0, 1, 0, 0, 0, 0): "excluded",
    (1, 0, 0, 0, 0, 0): "population",
    (1, 0, 1, 1, 0, 0): "excepted",
    (1, 0, 1, 0, 0, 0): "unscored-excepted",
    (1, 0, 0, 1, 1, 0): "denominator",
    (1, 0, 0, 1, 1, 1): "numerator",
    (1, 0, 0, 0, 1, 0): "unscored-denominator",
    (1, 0, 0, 0, 1, 1): "unscored-numerator",
}
"""By population, excluded, excepted, scored, denominator, numerator."""
COUNTS = ("population", "excluded", "excepted", "scored", "denominator", "numerator")


States = Mapping[tuple[int, ...], tuple[int, ...]]
"""By subject, grain, stratum, bin and month; see ``app.measures.compilation``."""
Counted = Mapping[str, tuple[Measure, World, States]]
"""By cut-off set; that of the default is ""."""




@dataclass(frozen=True)
class Interval:
    """A month, quarter or year: its length in months, and its first month's number."""

    grain: int
    start: int

    def key(self, measure: Measure) -> tuple[int, int]:
        """Return the grain and month whose state is that of this interval."""
        if measure.basis is Basis.LATEST_STATUS:
            return 1, self.start + self.grain - 1
        return self.grain, self.start


def intervals(rule: Rule) -> list[Interval]:
    """Return every interval that a rule's tables speak of."""
    return [interval_of(row["in"]) for table in rule.tables for row in table]


def months_of(rule: Rule) -> range:
    """Return the months whose states tell of all of a rule's intervals."""
    starts = [month for i in intervals(rule) for month in (i.start, i.start + i.grain)]
    return range(min(starts), max(starts))


def interval_of(text: str) -> Interval:
    """Return the interval called ``2024``, ``2024-Q1`` or ``2024-01``."""
    year, _, part = text.partition("-")
    if not part:
        return Interval(12, month_number(int(year), 1))
    if part.startswith("Q"):
        return Interval(3, month_number(int(year), 3 * int(part[1]) - 2))
    return Interval(1, month_number(int(year), int(part)))


def told(rule: Rule, table: Table, counted: Counted) -> Table:
    """Return *table* as the counts tell it: equal to it, if they are right."""
    return [
        {h: _cell_told(rule, h, row, counted) for h in row}  # in the table's order
        for row in table
    ]


def _cell_told(
    rule: Rule, heading: str, row: Mapping[str, str], counted: Counted
) -> str:
    """Return what stands below *heading*: someone, or a number of all of them."""
    if heading in {"in", "of"}:
        return row[heading]
    name, _, cut_off_set = heading.partition(" by ")
    reader = Reader(*counted[cut_off_set], interval_of(row["in"]))
    if name in people(rule):
        return reader.person(1 + people(rule).index(name), row[heading])
    return reader.total(name, row.get("of", "all"), row[heading])


@dataclass(frozen=True)
class Reader:
    """The states of one measure in one interval, put into a chapter's words."""

    measure: Measure
    world: World
    states: States
    interval: Interval

    def person(self, subject: int, cell: str) -> str:
        """Return what someone counts as; what is missing only if *cell* tells it."""
        mine = {key: s for key, s in self._here() if key[0] == subject}
        assert len(mine) <= 1, "nobody counts twice"
        for (_, _, stratum, bin_, _), state in mine.items():
            words = [self._word(state), *self._strata(stratum)]
            if ", no " in cell or ", all found" in cell:
                words += self._missing(bin_)
            return ", ".join(words)
        return "none"

    def total(self, name: str, of: str, cell: str) -> str:
        """Return a number of all people, written as *cell* is if it is equal."""
        here = [
            (key[3], state)
            for key, state in self._here()
            if of == "all" or of in self._strata(key[2])
        ]
        if name == "histogram":
            return self._histogram(here)
        number = self._number(name, here)
        same = number is not None and cell and Fraction(cell) == number
        return cell if same else "none" if number is None else str(number)

    def _number(
        self, name: str, here: Sequence[tuple[int, tuple[int, ...]]]
    ) -> Fraction | None:
        sums = [sum(column) for column in zip(NOTHING, *(s for _, s in here))]
        count = dict(zip(COUNTS, sums, strict=False))
        if name in count:
            return Fraction(count[name])
        if name == "score":
            whole = count["denominator"]
            return Fraction(count["numerator"], whole) if whole else None
        if name == "mean":
            return Fraction(sums[6], 1000 * count["scored"])
        if name == "sd":
            n = count["scored"]
            return Fraction(sqrt((n * sums[7] - sums[6] ** 2) / (n * (n - 1))) / 1000)
        assert name == "median", name
        bins = sorted(bin_ for bin_, state in here for _ in range(state[4]))
        return Fraction(self._first() + bins[(len(bins) - 1) // 2], 1000)

    def _histogram(self, here: Iterable[tuple[int, tuple[int, ...]]]) -> str:
        bins = Counter(bin_ for bin_, state in here for _ in range(state[4]))
        first = self._first()
        return ", ".join(
            f"{_plain(Fraction(first + bin_, 1000))}: {n}"
            for bin_, n in sorted(bins.items())
        )

    def _first(self) -> int:
        observation = self.measure.measure_observation
        assert observation is not None
        return int(1000 * observation.from_)

    def _here(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        for key, state in self.states.items():
            if (key[1], key[4]) == self.interval.key(self.measure):
                yield key, state

    def _word(self, state: tuple[int, ...]) -> str:
        word = MEMBERSHIPS[state[:6]]
        value, squares = state[6:]
        assert squares == value * value
        if self.measure.measure_observation is None or word != "denominator":
            return word
        return _plain(Fraction(value, 1000))

    def _strata(self, combination: int) -> list[str]:
        names = [name for of in strata_of(self.measure).values() for name in of]
        return [names[place - 1] for place in positions(self.measure, combination)]

    def _missing(self, bin_: int) -> list[str]:
        if bin_ >= 0:
            return []
        components = planned(self.measure, self.world.concepts).components
        if -bin_ == 2 ** len(components):
            return ["all found"]
        return [f"no {c}" for n, c in enumerate(components) if -bin_ >> n & 1]


def _plain(number: Fraction) -> str:
    return f"{float(number):g}"


