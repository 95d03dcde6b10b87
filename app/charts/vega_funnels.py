"""Funnel plots of clinics as Vega-Lite specifications."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from msgspec import to_builtins

from app.charts.comparison import ClinicPoint, Comparison, Zone
from app.charts.descriptions import ZONES, comparison_description, comparison_subtitle
from app.charts.vega_layers import (
    CLINIC,
    GREY,
    INK,
    SHARE,
    WIDTH,
    Spec,
    curve,
    end_labels,
    label,
    marks,
    scale_axis,
    sheet,
)
from app.domain.counts import Withheld


def funnel_spec(
    comparison: Comparison,
    *,
    title: str,
    names: Mapping[int, str],
    own: int | None = None,
) -> Spec:
    """
    Return the funnel plot of a comparison.

    Args:
        comparison: the clinics' numbers.
        title: what is compared, and when.
        names: what to call each clinic, by id.
        own: the clinic that looks, named in the picture wherever it lies.
    """
    shown = [point for point in comparison.points if not point.withheld]
    reach = ((curve.lower_998, curve.upper_998) for curve in comparison.curves)
    values = [point.value for point in shown]
    drawn = chain(values, chain.from_iterable(reach))
    y = scale_axis(drawn, comparison.scale, share=SHARE)
    words = [comparison_subtitle(comparison), *_absent(comparison, names)]
    description = comparison_description(comparison, title=title)
    rows = [_clinic_row(point, names) for point in shown]
    return {
        **sheet(title, words, description),
        "encoding": {"x": _denominator_axis(comparison)},
        "layer": [
            *_funnel_lines(comparison, y),
            marks(
                rows,
                {"field": "value", **y},
                kinds={row["kind"] for row in rows},
                scale=comparison.scale,
            ),
            *_clinic_labels(
                comparison, rows, y, own=None if own is None else names[own]
            ),
        ],
    }


def _clinic_row(point: ClinicPoint, names: Mapping[int, str]) -> Spec:
    return {
        "name": names[point.clinic_id],
        "value": point.value,
        "numerator": point.numerator,
        "denominator": point.denominator,
        "kind": ZONES[point.zone] if point.zone else CLINIC,
    }


def _denominator_axis(comparison: Comparison) -> Spec:
    sizes: list[float] = [p.denominator for p in comparison.points if p.denominator]
    sizes += [curve.denominator for curve in comparison.curves]
    ends = [min(sizes, default=0), max(sizes, default=1)]
    what = "Patients" if comparison.scale.per is None else "Exposure"
    title = f"{what} (denominator)"
    return {
        "field": "denominator",
        "type": "quantitative",
        "scale": {"domain": ends, "nice": False, "zero": False},
        "axis": {"title": title, "grid": False, "tickCount": 5},
    }


def _funnel_lines(comparison: Comparison, y: Spec) -> Iterator[Spec]:
    if comparison.target is None or not comparison.curves:
        return
    target = {"datum": comparison.target, **y}
    yield {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1.2},
        "encoding": {"x": {"value": 0}, "x2": {"value": WIDTH}, "y": target},
    }
    curves = {"values": [to_builtins(curve) for curve in comparison.curves]}
    for level, dash in (("95", [4, 3]), ("998", [1, 0])):
        for end in ("lower", "upper"):
            look = {"color": GREY, "strokeWidth": 1.2, "strokeDash": dash}
            yield {"data": curves, **curve(f"{end}_{level}", y, **look)}
    last = comparison.curves[-1]
    ends = [
        (f"network {comparison.target:{y['axis']['format']}}", comparison.target),
        ("99.8 %", last.upper_998),
        ("95 %", last.upper_95),
        ("99.8 %", last.lower_998),
        ("95 %", last.lower_95),
    ]
    yield from end_labels(ends, y)


def _clinic_labels(
    comparison: Comparison, rows: Sequence[Spec], y: Spec, *, own: str | None
) -> Iterator[Spec]:
    """Yield the names of the clinics beyond the limits, and of the one that looks."""
    middle = max((row["denominator"] for row in rows), default=0) / 2
    for row in rows:
        if row["name"] != own and row["kind"] in {ZONES[Zone.INSIDE], CLINIC}:
            continue
        is_left = row["denominator"] <= middle
        is_high = row["value"] >= (comparison.target or 0.0)
        yield label(
            row,
            y,
            align="left" if is_left else "right",
            dx=5 if is_left else -5,
            dy=-10 if is_high else 12,
            color=INK,
        )


def _absent(comparison: Comparison, names: Mapping[int, str]) -> Iterator[str]:
    """Yield which clinics are not in the picture, by reason."""
    for reason in Withheld:
        absent = [
            names[point.clinic_id]
            for point in comparison.points
            if point.withheld is reason
        ]
        if absent:
            yield f"{reason.replace('-', ' ').capitalize()}: {', '.join(absent)}"
