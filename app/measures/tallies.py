"""How often each finding was looked for and found: of a code, of a source, of all."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from typing_extensions import override

from app.domain.quality import CodeUse, Finding, KeptObservation
from app.domain.terminology import Coding

MOST_EXAMPLES = 5


class Looked(NamedTuple):
    """Which rules an observation could be held to, beside those for all."""

    dated: bool
    valued: bool
    united: bool
    ranged: bool


_RULES_FOR_SOME: dict[Finding, Callable[[Looked], bool]] = {
    Finding.LATE: lambda looked: looked.dated,
    Finding.DUPLICATE: lambda looked: looked.valued,
    Finding.NO_UNIT: lambda looked: looked.united,
    Finding.UNIT_NOT_CONVERTIBLE: lambda looked: looked.united,
    Finding.IMPOSSIBLE: lambda looked: looked.ranged,
    Finding.IMPROBABLE: lambda looked: looked.ranged,
}
_FOR_ALL = (Finding.BEFORE_BIRTH, Finding.AFTER_DEATH, Finding.IN_FUTURE)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """
    How often something was found, of how many that were looked at.

    ``looked`` None: there is no number to compare with. ``examples`` are record ids.
    """

    finding: Finding
    found: int
    looked: int | None
    examples: tuple[int, ...] = ()

    @property
    def proportion(self) -> float | None:
        """Return found / looked in [0, 1], or None where nothing was looked at."""
        return self.found / self.looked if self.looked else None


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """How many days after their own day observations came (nearest rank)."""

    p50: int
    p90: int


class Tally:
    """What was looked for and found in one part of the observations."""

    def __init__(self) -> None:
        self.looked: Counter[Looked] = Counter()
        self.found: Counter[Finding] = Counter()
        self.examples: defaultdict[Finding, list[int]] = defaultdict(list)
        self.days_late: Counter[int] = Counter()
        self.people: set[int] = set()

    @property
    def observations(self) -> int:
        """Return how many observations there are."""
        return self.looked.total()

    def note(
        self, row: KeptObservation, looked: Looked, found: Iterable[Finding], late: int
    ) -> None:
        """Count one observation, that came *late* days after its own day."""
        self.looked[looked] += 1
        self.people.add(row.subject_id)
        if looked.dated:
            self.days_late[late] += 1
        for finding in found:
            self.note_found(finding, row.record_id)

    def note_found(self, finding: Finding, record_id: int) -> None:
        """Count a finding, and keep it as an example if there are few."""
        self.found[finding] += 1
        examples = self.examples[finding]
        if len(examples) < MOST_EXAMPLES and record_id not in examples:
            examples.append(record_id)

    def share(self, finding: Finding, looked: int | None) -> Share:
        """Return what was found of one finding."""
        return Share(
            finding=finding,
            found=self.found[finding],
            looked=looked,
            examples=tuple(self.examples[finding]),
        )

    def shares(self) -> Iterator[Share]:
        """Yield what was found of each finding that was looked for."""
        for finding, applies in _RULES_FOR_SOME.items():
            looked = sum(n for kind, n in self.looked.items() if applies(kind))
            if looked:
                yield self.share(finding, looked)
        for finding in _FOR_ALL:
            yield self.share(finding, self.observations)

    @property
    def delays(self) -> Delays | None:
        """Return how late observations came; None where there is no saying."""
        if not self.days_late:
            return None
        return Delays(p50=self._delay(1, 2), p90=self._delay(9, 10))

    def _delay(self, of: int, parts: int) -> int:
        """Return the delay that *of* / *parts* of the observations do not exceed."""
        rank = -(-self.days_late.total() * of // parts)
        for days in sorted(self.days_late):
            rank -= self.days_late[days]
            if rank <= 0:
                return days
        raise AssertionError


class CodeTally(Tally):
    """The observations of one code, with the units as sent."""

    def __init__(self, coding: Coding, use: CodeUse, *, of_number: bool) -> None:
        super().__init__()
        self.coding = coding
        self.use = use
        self._of_number = of_number
        self.units: Counter[str | None] = Counter()
        self._sent_in: defaultdict[str | None, list[int]] = defaultdict(list)

    def note_unit(self, unit: str | None, record_id: int) -> None:
        """Count a quantity in *unit*."""
        self.units[unit] += 1
        if len(sent := self._sent_in[unit]) < MOST_EXAMPLES:
            sent.append(record_id)

    @property
    def mixed(self) -> Share | None:
        """
        Return how many quantities are in other units than most; None: there are none.

        Of scores and counts too: theirs mean nothing.
        """
        if not self.units or self._of_number:
            return None
        order = sorted(self.units, key=lambda unit: (-self.units[unit], unit or ""))
        rare = [record_id for unit in order[1:] for record_id in self._sent_in[unit]]
        return Share(
            finding=Finding.MIXED_UNITS,
            found=self.units.total() - self.units[order[0]],
            looked=self.units.total(),
            examples=tuple(dict.fromkeys(rare))[:MOST_EXAMPLES],
        )

    @override
    def shares(self) -> Iterator[Share]:
        """Yield what was found, mixed units too."""
        yield from super().shares()
        if self.mixed is not None:
            yield self.mixed


class SourceTally(Tally):
    """The observations of one source: each once, under one of its codes."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, CodeTally] = {}
        self.of_month: Counter[int] = Counter()
        self.unmapped_of_month: Counter[int] = Counter()

    @override
    def shares(self) -> Iterator[Share]:
        """Yield what was found, unmapped codes and mixed units too."""
        yield self.share(Finding.UNMAPPED, self.observations)
        yield from super().shares()
        mixed = [code.mixed for code in self.codes.values() if code.mixed is not None]
        if mixed:
            yield _sum(mixed)


def sum_of_shares(shares: Iterable[Share]) -> list[Share]:
    """Return one share for each finding, in the order in which they come first."""
    by_finding: dict[Finding, list[Share]] = {}
    for share in shares:
        by_finding.setdefault(share.finding, []).append(share)
    return [_sum(each) for each in by_finding.values()]


def _sum(shares: Sequence[Share]) -> Share:
    looked = [share.looked for share in shares if share.looked is not None]
    examples = dict.fromkeys(e for share in shares for e in share.examples)
    return Share(
        finding=shares[0].finding,
        found=sum(share.found for share in shares),
        looked=sum(looked) if looked else None,
        examples=tuple(examples)[:MOST_EXAMPLES],
    )
