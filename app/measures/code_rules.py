"""What the values of one code are held to."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from app.domain.quality import CodeUse, Finding
from app.domain.terminology import LOCAL, Coding
from app.measures.definitions import Measure, coding_of
from app.measures.facts import NO_UNIT, CanonicalUnit, converts, is_number
from app.measures.ranges import Ranges, Verdicts, verdicts


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


class CodeRules:
    """The rules for one code; what it says of a unit it works out once."""

    def __init__(self, coding: Coding, rules: Rules) -> None:
        self.coding = coding
        self.use = CodeUse.NOT_USED
        if coding.system == LOCAL:
            self.use = CodeUse.UNMAPPED
        elif coding in rules.asked:
            self.use = CodeUse.USED
        self.rank = list(CodeUse).index(self.use)
        """How far behind other codes of an observation it stands."""
        self.canonical = rules.units.get(coding)
        self.of_number = self.canonical is not None and is_number(self.canonical.unit)
        self._range = rules.ranges.get(coding)
        self._of_unit: dict[str | None, tuple[Finding | None, Verdicts | None]] = {}

    def unit_finding(self, unit: str | None) -> Finding | None:
        """Return what is wrong with quantities sent in *unit*."""
        return self._said_of(unit)[0]

    def verdicts(self, unit: str | None) -> Verdicts | None:
        """Return the range of values sent in *unit*, if they can be held to one."""
        return self._said_of(unit)[1]

    def _said_of(self, unit: str | None) -> tuple[Finding | None, Verdicts | None]:
        if unit not in self._of_unit:
            self._of_unit[unit] = self._judged(unit)
        return self._of_unit[unit]

    def _judged(self, unit: str | None) -> tuple[Finding | None, Verdicts | None]:
        if self.canonical is not None and not converts(unit, self.canonical):
            return Finding.UNIT_NOT_CONVERTIBLE if unit else Finding.NO_UNIT, None
        if self._range is None:
            return None, None
        kept_in = self.canonical.unit if self.canonical else unit or NO_UNIT
        return None, verdicts(self._range, kept_in)
