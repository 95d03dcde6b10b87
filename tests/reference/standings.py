"""What counts say of people, put into the words of the specification's tables."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.disclosure.quantiles import all_quantiles
from app.domain.calendar import month_number
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from app.measures.definitions import Measure
from app.measures.plans import planned
from app.measures.strata import positions, strata_of
from tests.reference.counting import NOTHING, World
from tests.reference.manual import Rule, Table, people

MEMBERSHIPS: Mapping[tuple[int, ...], str] = {
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


def months_of(rule: Rule) -> range:
    """Return the months whose states tell of all that a rule's tables speak of."""
    rows = [row for table in rule.tables for row in table]
    spans = [_interval(row["in"]) for row in rows]
    first = min(start for _, start in spans)
    return range(first, max(start + length.months for length, start in spans))


def _interval(text: str) -> tuple[Interval, int]:
    """Return the kind and first month of what is called 2024, 2024-Q1 or 2024-01."""
    year, _, part = text.partition("-")
    if not part:
        return Interval.YEAR, month_number(int(year), 1)
    if part.startswith("Q"):
        return Interval.QUARTER, month_number(int(year), 3 * int(part[1]) - 2)
    return Interval.MONTH, month_number(int(year), int(part))


def told(rule: Rule, table: Table, counted: Counted) -> Table:
    """Return *table* as the counts tell it: equal to it, if they are right."""
    return [
        {heading: _cell_told(rule, heading, row, counted) for heading in row}
        for row in table
    ]


def _cell_told(
    rule: Rule, heading: str, row: Mapping[str, str], counted: Counted
) -> str:
    """Return what stands below *heading*: someone, or a number of all of them."""
    if heading in {"in", "of"}:
        return row[heading]
    name, _, cut_off_set = heading.partition(" by ")
    standings = _Standings(*counted[cut_off_set], row["in"])
    if name in people(rule):
        return standings.person(1 + people(rule).index(name), told_as=row[heading])
    return standings.total(name, row.get("of", "all"), told_as=row[heading])


@dataclass(frozen=True)
class _Standings:
    """What everybody is in one interval, by the states of one measure."""

    measure: Measure
    world: World
    states: States
    interval: str

    def person(self, subject: int, *, told_as: str) -> str:
        """Return what someone counts as, and what is missing if that is to be told."""
        mine = [who[1:] for who in self._here() if who[0] == subject]
        assert len(mine) <= 1, "nobody counts twice"
        for strata, bin_, state in mine:
            tells_missing = ", no " in told_as or ", all found" in told_as
            missing = self._missing(bin_) if tells_missing else []
            return ", ".join([self._word(state), *strata, *missing])
        return "none"

    def total(self, name: str, of: str, *, told_as: str) -> str:
        """Return a number of all, or of a stratum, as it is told if it is equal."""
        cell = self._cell(of)
        if name == "histogram":
            pairs = [f"{begin / 1000:g}: {n}" for begin, n in cell.histogram]
            return ", ".join(pairs)
        number = _number(cell, name)
        if number is None:
            return "none"
        return told_as if _is_number(told_as, number) else f"{number}"

    def _cell(self, of: str) -> Cell:
        """Return everybody's states added up; of a stratum, or of all."""
        observation = self.measure.measure_observation
        first = 0 if observation is None else int(1000 * observation.from_)
        here = [who[2:] for who in self._here() if of == "all" or of in who[1]]
        states = [NOTHING, *(state for _, state in here)]
        *counts, values, squares = map(sum, zip(*states, strict=True))
        bins = Counter(first + bin_ for bin_, state in here if state[4])
        named: dict[str, Any] = dict(zip(COUNTS, counts, strict=True))
        return Cell(
            clinic_id=1,
            interval=Interval.MONTH,
            interval_start=0,
            **named,
            value_sum=values,
            value_squares=squares,
            histogram=tuple(sorted(bins.items())),
        )

    def _here(self) -> Iterator[tuple[int, list[str], int, tuple[int, ...]]]:
        """Yield each subject's id, strata, bin and state in this interval."""
        length, start = _interval(self.interval)
        grain, month = length.months, start
        if self.measure.basis is Basis.LATEST_STATUS:
            grain, month = 1, start + length.months - 1
        names = [name for of in strata_of(self.measure).values() for name in of]
        for (subject, of_grain, stratum, bin_, on), state in self.states.items():
            if (of_grain, on) == (grain, month):
                places = positions(self.measure, stratum)
                yield subject, [names[n - 1] for n in places], bin_, state

    def _word(self, state: tuple[int, ...]) -> str:
        """Return the membership, or the value where one stands for the denominator."""
        *counts, value, squares = state
        assert squares == value * value
        word = MEMBERSHIPS[tuple(counts)]
        if self.measure.measure_observation is None or word != "denominator":
            return word
        return f"{value / 1000:g}"

    def _missing(self, bin_: int) -> list[str]:
        """Return what someone lacks who is not scored."""
        components = planned(self.measure, self.world.concepts).components
        if bin_ < 0 and -bin_ == 2 ** len(components):
            return ["all found"]
        return [
            f"no {c}" for n, c in enumerate(components) if bin_ < 0 and -bin_ >> n & 1
        ]


def _number(cell: Cell, name: str) -> float | None:
    """Return a count, or what is published of the counts."""
    if name in COUNTS:
        return float(getattr(cell, name))
    published = ReleasedCell(
        clinic_id=None,
        interval=cell.interval,
        interval_start=0,
        population=cell.population,
        scored=cell.scored,
        denominator=cell.denominator,
        numerator=cell.numerator,
        value_sum=cell.value_sum,
        value_squares=cell.value_squares,
        quantiles=all_quantiles([cell]),
    )
    return {
        "score": published.proportion,
        "mean": published.mean,
        "SD": published.deviation,
        "median": published.quantile(50),
    }[name]


def _is_number(text: str, number: float) -> bool:
    """Return whether *text* writes *number*, at will as a fraction such as 2/3."""
    return text not in {"", "none"} and float(Fraction(text)) == number
