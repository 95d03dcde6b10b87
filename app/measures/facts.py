"""Temporary."""

from collections.abc import Mapping
from decimal import Decimal
import msgspec
from app.domain.calendar import month_of_day
from app.domain.records import *
from app.domain.terminology import Coding
from app.ucum.units import conversion
from app.measures.definitions import coding_of


class CanonicalUnit(msgspec.Struct, frozen=True):
    unit: str


class ObservationFact(msgspec.Struct, frozen=True):
    concept: Coding
    part: int
    day: int
    month: int
    value: int | None
    value_coding: Coding | None


class ConditionFact(msgspec.Struct, frozen=True):
    concept: Coding
    onset_month: int
    abatement_month: int | None


class VisitFact(msgspec.Struct, frozen=True):
    day: int
    month: int
    class_coding: Coding


def canonical_units(measures):
    return {
        coding_of(c): CanonicalUnit(o.unit)
        for m in measures
        for o in m.observables.values()
        if o.unit
        for c in m.value_sets[o.codes]
        if not c.endswith("*")
    }


def _value(concept, v, units):
    if v.quantity is None:
        return None
    u = units.get(concept)
    d = Decimal(v.quantity.value)
    if u is not None:
        if v.quantity.unit is None:
            if not u.unit.startswith("{"):
                return None
        elif v.quantity.unit != u.unit:
            c = conversion(v.quantity.unit, u.unit)
            if c is None:
                return None
            d = c.apply(d)
    return int((d * 1000).to_integral_value())


def observation_facts(o, units):
    if (
        o.status not in ("final", "amended", "corrected")
        or o.effective is None
        or o.effective.precision != Precision.DAY
    ):
        return ()
    out = []
    day = o.effective.day
    m = month_of_day(day)
    part = 0
    for codes, value in [(o.code, o.value)] + [(c.code, c.value) for c in o.components]:
        for c in codes:
            out.append(
                ObservationFact(
                    c,
                    part,
                    day,
                    m,
                    _value(c, value, units),
                    value.codings[0] if value.codings else None,
                )
            )
            part += 1
    return tuple(out)


def condition_facts(c):
    if c.verification_status in ("refuted", "entered-in-error"):
        return ()
    on = c.onset or c.recorded
    return tuple(
        ConditionFact(
            k,
            month_of_day(on.day) if on else 0,
            month_of_day(c.abatement.day) if c.abatement else None,
        )
        for k in c.code
    )


def visit_facts(e):
    if (
        e.status in ("planned", "cancelled", "entered-in-error")
        or e.start is None
        or e.class_ is None
    ):
        return ()
    return (VisitFact(e.start.day, month_of_day(e.start.day), e.class_),)
