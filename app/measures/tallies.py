"""How often each finding was looked for and found: of a code, of a source, of all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from app.domain.quality import CodeUse, Finding
from app.measures.code_rules import CodeRules

MOST_EXAMPLES = 5
_OF_DATES = (Finding.BEFORE_BIRTH, Finding.AFTER_DEATH, Finding.IN_FUTURE)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """
    How often something was found, of how many that were looked at.

    ``examples`` are record ids.
    """

    finding: Finding
    found: int
    looked: int
    examples: tuple[int, ...] = ()

    @property
    def proportion(self) -> float | None:
        """Return found / looked in [0, 1], or None where nothing was looked at."""
        return self.found / self.looked if self.looked else None


def sum_of_shares(shares: Iterable[Share]) -> list[Share]:
    """Return one share for each finding, in the order in which they come first."""
    by_finding: dict[Finding, list[Share]] = {}
    for share in shares:
        by_finding.setdefault(share.finding, []).append(share)
    return [_sum(each) for each in by_finding.values()]


def _sum(shares: Sequence[Share]) -> Share:
    return Share(
        finding=shares[0].finding,
        found=sum(share.found for share in shares),
        looked=sum(share.looked for share in shares),
        examples=_few(e for share in shares for e in share.examples),
    )


def _few(record_ids: Iterable[int]) -> tuple[int, ...]:
    """Return the first few of *record_ids*, each once."""
    return tuple(dict.fromkeys(record_ids))[:MOST_EXAMPLES]


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """How many days after their own day observations came (nearest rank)."""

    p50: int
    p90: int


class Kind(NamedTuple):
    """
    What many observations have in common.

    ``days_late`` is None where the day cannot be right. ``unit`` is as it was sent, and
    says nothing where there was no quantity.
    """

    month: int
    days_late: int | None
    is_quantity: bool
    unit: str | None
    is_valued: bool


class Tally:
    """Observations counted by kind, and what was found in single ones."""

    def __init__(self) -> None:
        self.kinds: dict[Kind, int] = {}
        self.people: set[int] = set()
        self.found: Counter[Finding] = Counter()
        self.first: dict[Kind, int] = {}
        self.examples: defaultdict[Finding, list[int]] = defaultdict(list)

    @property
    def observations(self) -> int:
        """Return how many observations there are."""
        return sum(self.kinds.values())

    def note(
        self, kind: Kind, found: Sequence[Finding], *, record_id: int, subject_id: int
    ) -> None:
        """Count one observation."""
        known = self.kinds.get(kind, 0)
        self.kinds[kind] = known + 1
        if not known:
            self.first[kind] = record_id
        self.people.add(subject_id)
        for finding in found:
            self.found[finding] += 1
            if len(self.examples[finding]) < MOST_EXAMPLES:
                self.examples[finding].append(record_id)

    def add(self, other: "Tally") -> None:
        """Count all that another tally has."""
        for kind, number in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + number
            self.first.setdefault(kind, other.first[kind])
        self.people |= other.people
        self.found += other.found
        for finding, record_ids in other.examples.items():
            self.examples[finding] += record_ids

    def share(self, finding: Finding, looked: int) -> Share:
        """Return what was found of one finding."""
        return Share(
            finding=finding,
            found=self.found[finding],
            looked=looked,
            examples=_few(self.examples[finding]),
        )

    def share_of_kinds(
        self, finding: Finding, kinds: Iterable[Kind], looked: int
    ) -> Share:
        """Return how many observations are of some *kinds*."""
        some = list(kinds)
        return Share(
            finding=finding,
            found=sum(self.kinds[kind] for kind in some),
            looked=looked,
            examples=_few(self.first[kind] for kind in some),
        )

    @property
    def delays(self) -> Delays | None:
        """Return how late observations came; None where there is no saying."""
        days = Counter[int]()
        for kind, number in self.kinds.items():
            if kind.days_late is not None:
                days[kind.days_late] += number
        if not days:
            return None
        return Delays(p50=_at_rank(days, 1, 2), p90=_at_rank(days, 9, 10))


def _at_rank(days: Counter[int], of: int, parts: int) -> int:
    """Return the delay that *of* / *parts* of the observations do not exceed."""
    rank = -(-days.total() * of // parts)
    for each in sorted(days):
        rank -= days[each]
        if rank <= 0:
            return each
    raise AssertionError


class CodeTally:
    """
    The observations of one code.

    ``chosen`` are those that count under it for their source; ``beside`` those that do
    so under another of their codes.
    """

    def __init__(self, rules: CodeRules) -> None:
        self.rules = rules
        self.chosen = Tally()
        self.beside = Tally()

    @property
    def total(self) -> Tally:
        """Return all observations of the code."""
        total = Tally()
        total.add(self.chosen)
        total.add(self.beside)
        return total


class SourceTally:
    """The observations of one source, by the concept ids of their codes."""

    def __init__(self) -> None:
        self.codes: dict[int, CodeTally] = {}

    @property
    def total(self) -> Tally:
        """Return all observations of the source, each once."""
        total = Tally()
        for code in self.codes.values():
            total.add(code.chosen)
        return total

    @property
    def unmapped(self) -> Tally:
        """Return those of which no code is known."""
        unmapped = Tally()
        for code in self.codes.values():
            if code.rules.use is CodeUse.UNMAPPED:
                unmapped.add(code.chosen)
        return unmapped

    def shares(self) -> Iterator[Share]:
        """Yield what was found of each finding."""
        unmapped, observations = self.unmapped, self.total.observations
        yield unmapped.share_of_kinds(Finding.UNMAPPED, unmapped.kinds, observations)
        yield from sum_of_shares(
            share
            for code in self.codes.values()
            for share in shares_of_code(code.chosen, code.rules)
        )


def shares_of_code(tally: Tally, rules: CodeRules) -> Iterator[Share]:
    """Yield what was found of each finding that observations of a code can have."""
    kinds = tally.kinds
    quantities = {kind: n for kind, n in kinds.items() if kind.is_quantity}
    if quantities and rules.canonical is not None:
        for finding in (Finding.NO_UNIT, Finding.UNIT_NOT_CONVERTIBLE):
            wrong = [k for k in quantities if rules.unit_finding(k.unit) is finding]
            yield tally.share_of_kinds(finding, wrong, sum(quantities.values()))
    if quantities and not rules.of_number:
        yield _mixed(tally, quantities)
    ranged = sum(n for k, n in quantities.items() if rules.verdicts(k.unit) is not None)
    looked = {
        Finding.IMPOSSIBLE: ranged,
        Finding.IMPROBABLE: ranged,
        Finding.DUPLICATE: sum(n for kind, n in kinds.items() if kind.is_valued),
        Finding.LATE: sum(n for k, n in kinds.items() if k.days_late is not None),
    }
    for finding, number in looked.items():
        if number:
            yield tally.share(finding, number)
    for finding in _OF_DATES:
        yield tally.share(finding, tally.observations)


def _mixed(tally: Tally, quantities: dict[Kind, int]) -> Share:
    """Return how many quantities are in other units than most."""
    units = units_of(tally)
    most = max(units, key=lambda unit: (units[unit], unit or ""))
    others = [kind for kind in quantities if kind.unit != most]
    return tally.share_of_kinds(Finding.MIXED_UNITS, others, units.total())


def units_of(tally: Tally) -> Counter[str | None]:
    """Return how many quantities there are of each unit as sent; None is none."""
    units = Counter[str | None]()
    for kind, number in tally.kinds.items():
        if kind.is_quantity:
            units[kind.unit] += number
    return units
