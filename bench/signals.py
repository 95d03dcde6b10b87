"""
How often charts alarm for nothing, and how soon they find a change.

Series are made by chance alone, or with one step planted, and drawn by the code that
the hub serves from. For each rule set: the share of steady series with any signal, the
share of their points, and the months until a step from 60 to 70 % is found. Besides:
what signals on overlapping windows would be worth, what freezing a baseline early
costs, g charts, and suggested shifts. ``--quick`` makes a tenth of the series.
"""

import sys
from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from app.charts.control_charts import proportion_chart
from app.charts.gap_charts import GapLimits, g_chart
from app.charts.likelihoods import Levels, of_means, of_proportions, of_rates
from app.charts.lines import Fit, Phase, frame
from app.charts.measure_charts import measure_chart
from app.charts.measurement_charts import run_chart, xmr_chart
from app.charts.rules import Rule, RuleSet, Signal, find_signals
from app.charts.shifts import ENOUGH_EVIDENCE, most_likely_shift
from app.domain.counts import Basis, Interval, ReleasedCell
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
SERIES = 400 if QUICK else 4000
PEOPLE, BEFORE, AFTER = 60, 0.6, 0.7
"""Patients of a month, and the share of them that is well, before a step and after."""
LENGTHS = (12, 24, 36)
MONTHS_BEFORE, MONTHS_AFTER = 24, 24
RUN_FOUND = 9
"""Months after which a run that is no chance is found: round(log2 33) + 3 + 1."""
CHANCE = np.random.default_rng(20_240_601)
RUNS = {Rule.LONG_RUN, Rule.FEW_CROSSINGS}
PUBLISHED = {
    RuleSet.ANHOEJ: "runs alone about 5 % of series, whatever n",
    RuleSet.SHEWHART: "0.27 % of points",
    RuleSet.WESTERN_ELECTRIC: "1 point in 92, 1.1 %",
}
"""
Anhoej and Olesen, PLoS ONE 2014;9:e113825 (runs and crossings); the normal
distribution (3 sigma); Champ and Woodall, Technometrics 1987;29:393-399 (an average
run length of 91.75 for the four Western Electric rules).
"""


def percent(hits: Sequence[bool]) -> float:
    """Return the share of what is true, in %."""
    return 100 * sum(hits) / len(hits)


def steady(months: int) -> list[int]:
    """Return how many of a month's patients are well, nothing having changed."""
    return [int(x) for x in CHANCE.binomial(PEOPLE, BEFORE, months)]


def stepped() -> list[int]:
    """Return the same with a step after the months before."""
    return steady(MONTHS_BEFORE) + [
        int(x) for x in CHANCE.binomial(PEOPLE, AFTER, MONTHS_AFTER)
    ]


def fit_of(counts: Sequence[int], *, frozen: int | None = None) -> Fit:
    """Return the chart that the hub draws of *counts*, perhaps frozen."""
    phases = [Phase(start=0, baseline_end=frozen)]
    within = frame(range(len(counts)), phases=phases)
    return proportion_chart(counts, [PEOPLE] * len(counts), within=within)


def found_in(fit: Fit, rule_set: RuleSet) -> tuple[Signal, ...]:
    """Return the signals of a chart of one phase."""
    one = [1] * len(fit.values)
    return find_signals(fit.values, fit.lines, rule_set=rule_set, phases=one)


def marked(found: Sequence[Signal]) -> int:
    """Return how many points stand out."""
    return len({p for s in found if s.rule.is_about_points for p in s.points})


def false_alarms() -> Iterator[Target]:
    """Print, for each rule set and length, what alarms on steady series."""
    print(f"Steady series of visits ({PEOPLE} a month at {BEFORE:.0%}), {SERIES} each:")
    print("share of series with any signal, %; (share of points that stand out, %)")
    fits = {n: [fit_of(steady(n)) for _ in range(SERIES)] for n in LENGTHS}
    for rule_set in RuleSet:
        cells = []
        for months, made in fits.items():
            found = [found_in(fit, rule_set) for fit in made]
            points = 100 * sum(map(marked, found)) / (months * SERIES)
            cells.append(f"{percent([*map(bool, found)]):5.1f} ({points:4.2f})")
        row = "  ".join(cells)
        print(f"  {rule_set:17} {row}   {PUBLISHED.get(rule_set, '')}", flush=True)
    for months, made in fits.items():
        # The published figure is of run charts: it counts runs and crossings alone.
        charts = [run_chart(f.values, within=frame(range(months))) for f in made]
        rates = [_false_runs(each) for each in (made, charts)]
        ihi = percent([bool(found_in(fit, RuleSet.IHI_RUN)) for fit in charts])
        print(f"  ihi-run, {months} points, run charts: {ihi:.1f}")
        print(f"  runs and crossings, {months} points: {rates[0]:.1f}", end="")
        print(f" around the mean, {rates[1]:.1f} around the median (about 5)")
        yield Target(
            f"false runs of anhoej, {months} points, % of series", rates[0], 10
        )
    beyond = [
        marked(found_in(fit, RuleSet.SHEWHART)) / LENGTHS[-1]
        for fit in fits[LENGTHS[-1]]
    ]
    yield Target("points beyond 3 sigma, %", 100 * sum(beyond) / SERIES, 0.5)


def _has_run(found: Sequence[Signal]) -> bool:
    return any(signal.rule in RUNS for signal in found)


def delays() -> Iterator[Target]:
    """Print after how many months each rule set finds a step."""
    many = SERIES // 10
    print(f"A step from {BEFORE:.0%} to {AFTER:.0%} after {MONTHS_BEFORE} months:")
    print(f"months until a signal, median; found within 6, 12, {MONTHS_AFTER}, %")
    made = [stepped() for _ in range(many)]
    for name, frozen in (("all points", None), ("frozen at 24", MONTHS_BEFORE)):
        fits = [_as_it_grew(counts, frozen) for counts in made]
        for rule_set in RuleSet:
            waits = [
                wait for grown in fits if (wait := _months_until(grown, rule_set)) >= 0
            ]
            shares = [
                percent([wait <= months for wait in waits])
                for months in (6, 12, MONTHS_AFTER)
            ]
            row = "  ".join(f"{share:3.0f}" for share in shares)
            print(f"  {rule_set:17} {name:13} {median(waits):4.0f}   {row}", flush=True)
            if rule_set is RuleSet.ANHOEJ:
                what = f"months until anhoej finds a step, {name}"
                yield Target(what, median(waits), RUN_FOUND)


def _as_it_grew(counts: Sequence[int], frozen: int | None) -> list[Fit]:
    """Return the chart as it was in the last month before the step, and each after."""
    return [
        fit_of(counts[:months], frozen=frozen)
        for months in range(MONTHS_BEFORE, len(counts) + 1)
    ]


def _months_until(grown: Sequence[Fit], rule_set: RuleSet) -> int:
    """Return after how many months there is a signal; -1: there was one before."""
    if found_in(grown[0], rule_set):
        return -1
    for months, fit in enumerate(grown[1:], start=1):
        if found_in(fit, rule_set):
            return months
    return MONTHS_AFTER + 1


def overlapping() -> Iterator[Target]:
    """Print what signals on latest status would be worth, if they were flagged."""
    many, months = SERIES // 4, 36
    print("Latest status, nothing changed, a visit every three months or so:")
    print("share of series with any signal, if they were flagged, %")
    for patients in (60, 240):
        made = [_latest_status(patients, months) for _ in range(many)]
        within = frame(range(months))
        for name, fits in (
            ("p or p'", [_of(counts, patients) for counts in made]),
            ("xmr", [xmr_chart([*map(float, c)], within=within) for c in made]),
        ):
            for rule_set in (RuleSet.SHEWHART, RuleSet.ANHOEJ, RuleSet.NELSON):
                rate = percent([bool(found_in(fit, rule_set)) for fit in fits])
                print(f"  {patients:4} patients, {name:8} {rule_set:9} {rate:5.1f}")
        served = [_is_flagged(counts, patients) for counts in made]
        yield Target(
            f"latest-status series flagged, {patients} patients, %", percent(served), 0
        )


def _is_flagged(counts: Sequence[int], patients: int) -> bool:
    """Return whether the hub's own chart of a latest status has any signal."""
    cells = [
        ReleasedCell(
            clinic_id=None,
            interval=Interval.MONTH,
            interval_start=month,
            population=patients,
            scored=patients,
            denominator=patients,
            numerator=count,
        )
        for month, count in enumerate(counts)
    ]
    made = measure_chart(cells, basis=Basis.LATEST_STATUS, improvement="increase")
    return bool(made.signals)


def _of(counts: Sequence[int], patients: int) -> Fit:
    within = frame(range(len(counts)))
    return proportion_chart(counts, [patients] * len(counts), within=within)


def _latest_status(patients: int, months: int) -> list[int]:
    """
    Return how many patients' latest status is good, month by month.

    A third of them is seen in a month; in half of them all is as it was, the others are
    as chance has it.
    """
    state = CHANCE.random(patients) < BEFORE
    counts = []
    for _ in range(months):
        seen = CHANCE.random(patients) < 1 / 3 / 2
        state = np.where(seen, CHANCE.random(patients) < BEFORE, state)
        counts.append(int(state.sum()))
    return counts


def frozen_baselines() -> Iterator[Target]:
    """Print what freezing a baseline early costs in false alarms."""
    print("Steady series, baseline frozen: share with any signal, %")
    print("after a baseline of  12 points  24 points  36 points")
    for more in (24, 48):
        made = {n: [steady(n + more) for _ in range(SERIES // 2)] for n in LENGTHS}
        fits = {n: [fit_of(c, frozen=n) for c in each] for n, each in made.items()}
        free = {n: [fit_of(c) for c in each] for n, each in made.items()}
        for rule_set in RuleSet if more == 24 else (RuleSet.ANHOEJ, RuleSet.SHEWHART):
            found = {
                n: [found_in(fit, rule_set) for fit in each] for n, each in fits.items()
            }
            rates = [percent([*map(bool, each)]) for each in found.values()]
            _row(f"{rule_set}, {more} more", rates)
            if rule_set is RuleSet.ANHOEJ:
                runs = [percent([*map(_has_run, each)]) for each in found.values()]
                _row("  its runs", runs)
                unfrozen = [_false_runs(each) for each in free.values()]
                _row("  not frozen", unfrozen)
                what = f"false runs added by freezing at 24, {more} more, % of series"
                yield Target(what, runs[1] - unfrozen[1], 6)


def _row(name: str, rates: Sequence[float]) -> None:
    row = "  ".join(f"{rate:8.1f} " for rate in rates)
    print(f"  {name:26} {row}", flush=True)


def _false_runs(fits: Sequence[Fit]) -> float:
    return percent([_has_run(found_in(fit, RuleSet.ANHOEJ)) for fit in fits])


def gaps() -> Iterator[Target]:
    """Print what alarms on steady g charts, by either kind of limit."""
    mean, points = 31.7, 24
    print(f"Steady g charts of {points} points, mean {mean}: beyond the limits, %")
    made = [
        [int(x) - 1 for x in CHANCE.geometric(1 / (mean + 1), points)]
        for _ in range(SERIES)
    ]
    for limits in GapLimits:
        fits = [
            g_chart(counts, within=frame(range(points)), limits=limits)
            for counts in made
        ]
        beyond = [marked(found_in(fit, RuleSet.SHEWHART)) for fit in fits]
        of_points = 100 * sum(beyond) / points / SERIES
        of_series = percent([count > 0 for count in beyond])
        print(f"  {limits:8} {of_points:.2f} of points, {of_series:.1f} of series")
        if limits is GapLimits.EXACT:
            yield Target("points beyond exact limits of a g chart, %", of_points, 0.3)


def suggestions() -> Iterator[Target]:
    """Print how often a shift is suggested where there is none, and where one is."""
    months = 24
    print(f"Steady series of {months} points: a shift suggested, %")
    makers = {"proportions": _proportions, "rates": _rates, "means": _means}
    starts = range(months)
    for name, make in makers.items():
        made = [most_likely_shift(starts, make(months)) for _ in range(SERIES)]
        rate = percent([each.evidence >= ENOUGH_EVIDENCE for each in made])
        print(f"  {name:12} {rate:.2f}", flush=True)
        yield Target(f"shifts suggested in steady {name}, % of series", rate, 1.5)
    whole = range(MONTHS_BEFORE + MONTHS_AFTER)
    size = [PEOPLE] * len(whole)
    steps = [
        most_likely_shift(whole, of_proportions(stepped(), size)) for _ in range(SERIES)
    ]
    near = percent([abs(each.interval_start - MONTHS_BEFORE) <= 1 for each in steps])
    held = percent([each.first <= MONTHS_BEFORE <= each.last for each in steps])
    print(f"  a planted step is dated to within a month in {near:.0f} %,")
    print(f"  and its interval holds the month in {held:.0f} %")
    yield Target("planted steps outside their interval, %", 100 - held, 5)


def _proportions(months: int) -> Levels:
    return of_proportions(steady(months), [PEOPLE] * months)


def _rates(months: int) -> Levels:
    """Return about 20 events a month, of exposures that vary."""
    exposures = CHANCE.uniform(8, 12, months)
    return of_rates([int(x) for x in CHANCE.poisson(2 * exposures)], [*exposures])


def _means(months: int) -> Levels:
    """Return the means of 40 people's values."""
    values = CHANCE.normal(5, 2, (months, 40))
    deviations = [float(s) for s in values.std(axis=1, ddof=1)]
    levels = of_means(
        [float(m) for m in values.mean(axis=1)], deviations, [40] * months
    )
    assert levels is not None
    return levels


def main() -> int:
    """Simulate, and tell what was met."""
    parts = (false_alarms, delays, overlapping, frozen_baselines, gaps, suggestions)
    return tell(target for part in parts for target in part())


if __name__ == "__main__":
    sys.exit(main())
