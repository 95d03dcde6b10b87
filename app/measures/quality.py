"""
What is wrong with what is kept: each finding looked for, by code and by source.

Nothing is dropped or changed here: a flagged value is kept, and counts as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import msgspec

from app.domain.quality import CodeUse, Finding, KeptObservation
from app.domain.records import Observation, Quantity, content_of
from app.domain.terminology import LOCAL, Coding
from app.measures.definitions import Measure, coding_of
from app.measures.facts import NO_UNIT, CanonicalUnit, converts, is_number
from app.measures.ranges import Ranges, Verdicts, verdicts
from app.measures.tallies import CodeTally, Looked, SourceTally

DAY_MS = 24 * 3600 * 1000
ZONES_DAYS = 1
"""How far the day somewhere may be ahead of the day in UTC."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """
    What observations are held to.

    ``asked`` are the codings that measures ask for, ``closed_before`` the month before
    which all was locked on a day number.
    """

    asked: frozenset[Coding]
    units: Mapping[Coding, CanonicalUnit]
    ranges: Ranges
    closed_before: Callable[[int], int]


def asked_codings(measures: Iterable[Measure]) -> frozenset[Coding]:
    """Return the codings of every observable of the *measures*."""
    return frozenset(
        coding_of(code)
        for measure in measures
        for observable in measure.observables.values()
        for code in measure.value_sets[observable.codes]
    )


class Valued(msgspec.Struct, frozen=True):
    """Where a value is that a measure asks for: at which visits, on whose days."""

    encounters: set[int]
    days: set[tuple[int, int]]


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all observations of a clinic; sources by their ids."""

    sources: dict[int, SourceTally]
    valued: Valued
    born_too_late: set[int]


def examine(
    rows: Iterable[KeptObservation],
    *,
    concepts: Mapping[int, Coding],
    rules: Rules,
) -> Examination:
    """
    Return what is wrong with observations.

    Each is listed under all of its codes, and counts for its source under one of them:
    what a measure asks for goes before what none does, and a local code comes last.
    """
    examiner = _Examiner(concepts, rules)
    # By record, so that which of two duplicates is the second depends on nothing else.
    ordered = sorted(rows, key=itemgetter(0, 1, 4))
    for _, of_record in groupby(ordered, key=itemgetter(0)):
        examiner.examine_record(list(of_record))
    return examiner.examination


class _Code:
    """What is known of a code, and what its values are held to."""

    def __init__(self, coding: Coding, rules: Rules) -> None:
        self.coding = coding
        self.use = CodeUse.NOT_USED
        if coding.system == LOCAL:
            self.use = CodeUse.UNMAPPED
        elif coding in rules.asked:
            self.use = CodeUse.USED
        self.canonical = rules.units.get(coding)
        self._range = rules.ranges.get(coding)
        self._verdicts: dict[str, Verdicts | None] = {}
        self._converts: dict[str | None, bool] = {}

    @cached_property
    def is_number(self) -> bool:
        """Return whether its values have no unit, but a name for what is counted."""
        return self.canonical is not None and is_number(self.canonical.unit)

    @cached_property
    def rank(self) -> int:
        """Return how far behind other codes of an observation it stands."""
        return list(CodeUse).index(self.use)

    def new_tally(self) -> CodeTally:
        """Return a tally in which nothing has been counted."""
        return CodeTally(self.coding, self.use, of_number=self.is_number)

    def takes(self, unit: str | None) -> bool:
        """Return whether quantities in *unit* can be compared."""
        if unit not in self._converts:
            assert self.canonical is not None
            self._converts[unit] = converts(unit, self.canonical)
        return self._converts[unit]

    def verdicts(self, sent: str | None) -> Verdicts | None:
        """Return the range of values that were *sent* in a unit, if one is known."""
        if self._range is None:
            return None
        unit = self.canonical.unit if self.canonical else sent or NO_UNIT
        if unit not in self._verdicts:
            self._verdicts[unit] = verdicts(self._range, unit)
        return self._verdicts[unit]


class _Examiner:
    """Goes through observations, record by record."""

    def __init__(self, concepts: Mapping[int, Coding], rules: Rules) -> None:
        self.examination = Examination(
            sources={}, valued=Valued(set(), set()), born_too_late=set()
        )
        self._concepts = concepts
        self._rules = rules
        self._codes: dict[int, _Code] = {}
        self._first: dict[tuple[int | None, ...], int] = {}
        self._closed: dict[int, int] = {}

    def examine_record(self, rows: list[KeptObservation]) -> None:
        """Examine the codes of one record and of its components."""
        content = content_of(rows[0].content)
        assert isinstance(content, Observation)
        days_late, in_time = self._in_time(rows[0])
        for part, of_part in groupby(rows, key=itemgetter(1)):
            value = content.components[part - 1].value if part else content.value
            self._examine_part(list(of_part), value.quantity, days_late, in_time)

    def _examine_part(
        self,
        rows: list[KeptObservation],
        quantity: Quantity | None,
        days_late: int,
        in_time: Sequence[Finding],
    ) -> None:
        """Examine one observation under each of its codes."""
        source = self.examination.sources.setdefault(rows[0].source_id, SourceTally())
        codes = [self._code(row.concept_id) for row in rows]
        chosen = min(range(len(rows)), key=lambda n: codes[n].rank)
        for number, (row, code) in enumerate(zip(rows, codes, strict=True)):
            tally = source.codes.get(row.concept_id)
            if tally is None:
                tally = source.codes[row.concept_id] = code.new_tally()
            looked, found = self._judge(row, code, quantity, in_time)
            tally.note(row, looked, found, days_late)
            if quantity is not None:
                tally.note_unit(quantity.unit, row.record_id)
            if number == chosen:
                source.note(row, looked, found, days_late)
                self._note_month(source, row, code)

    def _note_month(
        self, source: SourceTally, row: KeptObservation, code: _Code
    ) -> None:
        """Count an observation for its month, and its value for its visit."""
        source.of_month[row.month] += 1
        if code.use is CodeUse.UNMAPPED:
            source.note_found(Finding.UNMAPPED, row.record_id)
            source.unmapped_of_month[row.month] += 1
        has_value = row.value is not None or row.value_concept_id is not None
        if code.use is CodeUse.USED and has_value:
            valued = self.examination.valued
            if row.encounter_id:
                valued.encounters.add(row.encounter_id)
            else:
                valued.days.add((row.subject_id, row.day))

    def _judge(
        self,
        row: KeptObservation,
        code: _Code,
        quantity: Quantity | None,
        in_time: Sequence[Finding],
    ) -> tuple[Looked, list[Finding]]:
        """Return which rules the observation was held to, and what was found."""
        found = list(in_time)
        is_valued = row.value is not None or row.value_concept_id is not None
        if is_valued and self._is_repeated(row):
            found.append(Finding.DUPLICATE)
        is_united = quantity is not None and code.canonical is not None
        if quantity is not None and is_united and not code.takes(quantity.unit):
            no_unit = quantity.unit is None
            found.append(Finding.NO_UNIT if no_unit else Finding.UNIT_NOT_CONVERTIBLE)
            known = None
        elif quantity is not None:
            known = code.verdicts(quantity.unit)
        else:
            known = None
        if known is not None:
            found += _out_of_range(row, known)
        looked = Looked(
            dated=_is_dated(in_time),
            valued=is_valued,
            united=is_united,
            ranged=known is not None,
        )
        return looked, found

    def _in_time(self, row: KeptObservation) -> tuple[int, list[Finding]]:
        """Return how many days after its day a record came, and what is odd of it."""
        received = row.received_at // DAY_MS
        late = max(0, received - row.day)
        odd = []
        if row.birth_month is not None and row.month < row.birth_month:
            self.examination.born_too_late.add(row.subject_id)
            odd.append(Finding.BEFORE_BIRTH)
        if row.death_month is not None and row.month > row.death_month:
            odd.append(Finding.AFTER_DEATH)
        if row.day > received + ZONES_DAYS:
            odd.append(Finding.IN_FUTURE)
        if _is_dated(odd) and row.month < self._closed_before(received):
            odd.append(Finding.LATE)
        return late, odd

    def _closed_before(self, day: int) -> int:
        """Return the month before which all was locked on *day*."""
        if day not in self._closed:
            self._closed[day] = self._rules.closed_before(day)
        return self._closed[day]

    def _is_repeated(self, row: KeptObservation) -> bool:
        """Return whether another record said the same before."""
        what = (row.subject_id, row.concept_id, row.day, row.value)
        key = (*what, row.value_concept_id)
        return self._first.setdefault(key, row.record_id) != row.record_id

    def _code(self, concept_id: int) -> _Code:
        """Return what is known of a code."""
        code = self._codes.get(concept_id)
        if code is None:
            code = _Code(self._concepts[concept_id], self._rules)
            self._codes[concept_id] = code
        return code


def _is_dated(odd: Iterable[Finding]) -> bool:
    """Return whether the day may be right; else there is no saying how late it is."""
    return Finding.BEFORE_BIRTH not in odd and Finding.IN_FUTURE not in odd


def _out_of_range(row: KeptObservation, known: Verdicts) -> Iterator[Finding]:
    """Yield what is odd of a value; one too large to be kept is impossible."""
    if row.value is None:
        yield Finding.IMPOSSIBLE
        return
    age = None if row.birth_month is None else row.month - row.birth_month
    age = None if age is None or age < 0 else age
    if known.is_impossible(row.value, age=age):
        yield Finding.IMPOSSIBLE
    elif known.is_improbable(row.value, age=age):
        yield Finding.IMPROBABLE
