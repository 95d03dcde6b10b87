"""What must hold of definitions by summaries, and the units that they count in."""

from collections.abc import Iterable, Iterator, Mapping

from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.definitions import (
    Between,
    Measure,
    MeasureDefinitionError,
    Scoring,
    Summary,
    coding_of,
)
from app.measures.facts import CanonicalUnit
from app.ucum.units import canonical_unit

Place = tuple[str | int, ...]
COUNT = CanonicalUnit(unit="1")


def summary_problems(measure: Measure) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with how *measure* counts summaries, and where."""
    summary = measure.summary
    if measure.basis is not Basis.SUMMARIES or summary is None:
        return
    if measure.scoring is Scoring.CONTINUOUS_VARIABLE:
        yield ("scoring",), "summaries are counts: say ratio or proportion"
    for field in ("events", "exposure"):
        yield from _value_set(measure, field)
    yield from _exposure(summary)
    if measure.scoring is Scoring.PROPORTION and (summary.between or summary.per > 1):
        yield ("summary",), "a proportion has no `between` and no `per`: leave it out"
    if summary.between and summary.per > 1:
        yield ("summary", "per"), "`per` has no meaning between events: leave it out"
    if canonical_unit(summary.unit) is None:
        yield ("summary", "unit"), f"`{summary.unit}` is no UCUM unit: correct it"
    both = {*_codes(measure, summary.events)} & {*_codes(measure, summary.exposure)}
    for code in sorted(both):
        yield ("summary",), f"{code} is an event and an exposure: leave one out"


def _value_set(measure: Measure, field: str) -> Iterator[tuple[Place, str]]:
    """Let a value set be known, with each code listed."""
    name = getattr(measure.summary, field)
    path = ("summary", field)
    if name is not None and name not in measure.value_sets:
        yield path, f"unknown value set `{name}`: define it, or correct the name"
    if any(code.endswith("*") for code in _codes(measure, name)):
        yield path, "list the codes of summaries one by one, without `*`"


def _exposure(summary: Summary) -> Iterator[tuple[Place, str]]:
    """Want an exposure wherever one is counted."""
    is_needed = summary.between is not Between.DAYS
    if is_needed and summary.exposure is None:
        yield ("summary",), "say what events are counted against: exposure"
    if not is_needed and summary.exposure is not None:
        yield (
            ("summary", "exposure"),
            "days between events need no exposure: leave it out",
        )


def _codes(measure: Measure, name: str | None) -> tuple[str, ...]:
    return measure.value_sets.get(name, ()) if name is not None else ()


def summary_units(measures: Iterable[Measure]) -> Mapping[Coding, CanonicalUnit]:
    """
    Return the unit in which each coding that is counted by summaries is kept.

    Raises:
        MeasureDefinitionError: two definitions want different units for one coding.
    """
    units: dict[Coding, CanonicalUnit] = {}
    for measure in measures:
        summary = measure.summary
        if summary is None:
            continue
        exposed = CanonicalUnit(unit=canonical_unit(summary.unit) or summary.unit)
        for name, unit in ((summary.events, COUNT), (summary.exposure, exposed)):
            for code in _codes(measure, name):
                if units.setdefault(coding_of(code), unit) != unit:
                    msg = (
                        f"{measure.id}: {code} has another unit than an earlier "
                        "definition gives it; make them the same"
                    )
                    raise MeasureDefinitionError(msg)
    return units
