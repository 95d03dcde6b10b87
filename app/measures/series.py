"""Temporary."""

from app.domain.counts import *


def cells(rows, *, basis, interval, first_month, last_month, strata):
    rows = list(rows)
    out = []
    step = interval.months
    clinics = sorted({r.clinic_id for r in rows})
    for c in clinics:
        for st in sorted({r.stratum for r in rows}) if strata else [None]:
            mine = [
                r
                for r in rows
                if r.clinic_id == c
                and (st is None or r.stratum == st)
                and r.grain == (1 if basis is Basis.LATEST_STATUS else step)
            ]
            s = first_month - first_month % step
            while s + step - 1 <= last_month:
                at = s + step - 1 if basis is Basis.LATEST_STATUS else s
                t = [
                    sum(getattr(r, f) for r in mine if r.month <= at)
                    for f in ("population", "scored", "denominator", "numerator")
                ]
                out.append(
                    Cell(
                        clinic_id=c,
                        interval=interval,
                        interval_start=s,
                        stratum=st or 0,
                        population=t[0],
                        scored=t[1],
                        denominator=t[2],
                        numerator=t[3],
                    )
                )
                s += step
    return out
