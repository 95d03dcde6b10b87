"""
What is wrong with what is kept: each finding looked for, by code and by source.

Nothing is dropped or changed here: a flagged value is kept, and counts as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

import msgspec

from app.domain.quality import CodeUse, Finding, KeptObservation
from app.domain.records import Observation, Quantity, content_of
from app.domain.terminology import Coding
from app.measures.code_rules import CodeRules, Rules
from app.measures.ranges import Verdicts
from app.measures.tallies import CodeTally, Kind, SourceTally

DAY_MS = 24 * 3600 * 1000
ZONES_DAYS = 1
"""How far the day somewhere may be ahead of the day in UTC."""


class Valued(msgspec.Struct, frozen=True):
    """Where a value is that a measure asks for: at which visits, on whose days."""

    encounters: set[int]
    days: set[tuple[int, int]]


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of all observations of a clinic; sources by their ids.

    ``born_too_late`` are subjects with an observation before their month of birth.
    """

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
    for _, of_part in groupby(sorted(rows), key=itemgetter(0, 1)):
        examiner.examine_part(list(of_part))
    return examiner.examination


class _Record(msgspec.Struct, frozen=True):
    """What the parts of one record share."""

    id: int
    content: Observation
    days_late: int | None
    odd: list[Finding]


class _Examiner:
    """Goes through observations, record by record."""

    def __init__(self, concepts: Mapping[int, Coding], rules: Rules) -> None:
        self.examination = Examination(
            sources={}, valued=Valued(set(), set()), born_too_late=set()
        )
        self._concepts = concepts
        self._rules = rules
        self._codes: dict[int, CodeRules] = {}
        self._first: dict[tuple[int | None, ...], int] = {}
        self._closed: dict[int, int] = {}
        self._record: _Record | None = None

    def examine_part(self, rows: list[KeptObservation]) -> None:
        """Examine a record, or a component of one, under each of its codes."""
        first = rows[0]
        record = self._record
        if record is None or record.id != first.record_id:
            record = self._record = self._record_of(first)
        content = record.content
        of_part = content.components[first.part - 1] if first.part else content
        quantity = of_part.value.quantity
        unit = None if quantity is None else quantity.unit
        is_valued = first.value_concept_id is not None or first.value is not None
        days_late = record.days_late
        kind = Kind(first.month, days_late, quantity is not None, unit, is_valued)
        tallies = [self._tally(row) for row in rows]
        chosen = min(tallies, key=_rank) if len(tallies) > 1 else tallies[0]
        for row, code in zip(rows, tallies, strict=True):
            found = [*record.odd, *self._found(row, code.rules, quantity)]
            tally = code.chosen if code is chosen else code.beside
            tally.note(kind, found, record_id=record.id, subject_id=row.subject_id)
        if is_valued and chosen.rules.use is CodeUse.USED:
            self._note_valued(first)

    def _record_of(self, row: KeptObservation) -> _Record:
        """Return what the parts of a record share."""
        content = content_of(row.content)
        assert isinstance(content, Observation)
        days_late, odd = self._in_time(row)
        return _Record(row.record_id, content, days_late, odd)

    def _found(
        self, row: KeptObservation, rules: CodeRules, quantity: Quantity | None
    ) -> Iterator[Finding]:
        """Yield what is odd of a value."""
        if self._is_repeated(row):
            yield Finding.DUPLICATE
        known = None if quantity is None else rules.verdicts(quantity.unit)
        if known is not None and not known.is_plain(row.value):
            yield from _out_of_range(row, known)

    def _note_valued(self, row: KeptObservation) -> None:
        """Remember at which visit a value was taken, or else on whose day."""
        if row.encounter_id:
            self.examination.valued.encounters.add(row.encounter_id)
        else:
            self.examination.valued.days.add((row.subject_id, row.day))

    def _in_time(self, row: KeptObservation) -> tuple[int | None, list[Finding]]:
        """Return how many days after its day a record came, and what is odd of it."""
        received = row.received_at // DAY_MS
        odd = []
        if row.birth_month is not None and row.month < row.birth_month:
            self.examination.born_too_late.add(row.subject_id)
            odd.append(Finding.BEFORE_BIRTH)
        if row.day > received + ZONES_DAYS:
            odd.append(Finding.IN_FUTURE)
        days_late = None if odd else max(0, received - row.day)
        if days_late is not None and row.month < self._closed_before(received):
            odd.append(Finding.LATE)
        if row.death_month is not None and row.month > row.death_month:
            odd.append(Finding.AFTER_DEATH)
        return days_late, odd

    def _closed_before(self, day: int) -> int:
        """Return the month before which all was locked on *day*."""
        if day not in self._closed:
            self._closed[day] = self._rules.closed_before(day)
        return self._closed[day]

    def _is_repeated(self, row: KeptObservation) -> bool:
        """Return whether another record gave the same value before."""
        value, answer = row.value, row.value_concept_id
        if value is None and answer is None:
            return False
        key = (row.subject_id, row.concept_id, row.day, value, answer)
        return self._first.setdefault(key, row.record_id) != row.record_id

    def _tally(self, row: KeptObservation) -> CodeTally:
        """Return the tally of a code at its source."""
        source = self.examination.sources.get(row.source_id)
        if source is None:
            source = self.examination.sources[row.source_id] = SourceTally()
        tally = source.codes.get(row.concept_id)
        if tally is None:
            tally = source.codes[row.concept_id] = CodeTally(self._code(row.concept_id))
        return tally

    def _code(self, concept_id: int) -> CodeRules:
        """Return the rules for a code."""
        code = self._codes.get(concept_id)
        if code is None:
            code = CodeRules(self._concepts[concept_id], self._rules)
            self._codes[concept_id] = code
        return code


def _rank(tally: CodeTally) -> int:
    return tally.rules.rank


def _out_of_range(row: KeptObservation, known: Verdicts) -> Iterator[Finding]:
    """Yield what is odd of a value; one too small to be kept is impossible."""
    if row.value is None:
        yield Finding.IMPOSSIBLE
        return
    age = None if row.birth_month is None else row.month - row.birth_month
    age = None if age is None or age < 0 else age
    if known.is_impossible(row.value, age=age):
        yield Finding.IMPOSSIBLE
    elif known.is_improbable(row.value, age=age):
        yield Finding.IMPROBABLE
