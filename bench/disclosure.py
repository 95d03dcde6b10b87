"""
What the audit of a release costs: a whole history at once, and a later month.

20 measures, 48 months, 300 clinics of log-normal size, in both shapes and for both
audiences; two pairs of the measures are nested. ``--quick`` does it with a fifth of the
clinics, half of the measures and half of the months.
"""

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from app.disclosure.audiences import parse_audiences
from app.disclosure.audits import Findings, audit_release
from app.disclosure.blocks import Published
from app.disclosure.bounds import place_of
from app.disclosure.families import (
    Intervals,
    Member,
    family_intervals,
    release_family,
)
from app.disclosure.truths import fresh_lines, fresh_tables, true_lines
from app.domain.clinics import Audience
from app.domain.counts import Cell, ReleasedCell
from bench.cubes import FIRST, STRATA, Kind, People, cells, kinds
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
MEASURES, MONTHS, CLINICS = (10, 24, 60) if QUICK else (20, 48, 300)
AUDIENCES = parse_audiences(Path("app/disclosure/audiences.toml").read_text())
NARROWEST_FIRST = (Audience.MEMBERS, Audience.PUBLIC)

Cubes = Mapping[Kind, list[Cell]]
Released = dict[Audience, dict[int, list[ReleasedCell]]]
Widths = dict[Audience, dict[int, Intervals]]


class Spent(NamedTuple):
    """Seconds to make releases, and to audit them."""

    releasing: float
    auditing: float


def made_cubes() -> Cubes:
    """Return the true cells of every measure."""
    made: dict[Kind, list[Cell]] = {}
    histories: dict[int, People] = {}
    for kind in kinds(MEASURES):
        contained = histories[kind.subset_of[0]] if kind.subset_of else None
        made[kind], people = cells(kind, CLINICS, MONTHS, contained)
        if kind.number in {0, 1}:
            histories[kind.number] = people
    return made


def release_and_audit(
    cubes: Cubes, earlier: Released, widths: Widths, *, locked: int
) -> tuple[Released, Spent]:
    """Make both audiences' releases of what is locked, and audit them."""
    made: Released = {}
    releasing = auditing = 0.0
    narrower: dict[int, list[ReleasedCell]] | None = None
    for audience in NARROWEST_FIRST:
        started = time.perf_counter()
        before = earlier.get(audience, {})
        own = widths.setdefault(audience, {})
        made[audience] = {}
        for family in families(cubes):
            made[audience] |= released(family, audience, before, narrower, own, locked)
        narrower = made[audience]
        releasing += time.perf_counter() - started
        started = time.perf_counter()
        told(
            audience, audited(cubes, made[audience], before, audience, locked), started
        )
        auditing += time.perf_counter() - started
    return made, Spent(releasing, auditing)


def families(cubes: Cubes) -> list[Cubes]:
    """Return the measures that contain one another together, each other one alone."""
    inner = {other for kind in cubes for other in kind.subset_of}
    return [
        {
            k: true
            for k, true in cubes.items()
            if k is kind or k.number in kind.subset_of
        }
        for kind in cubes
        if kind.number not in inner
    ]


def released(
    family: Cubes,
    audience: Audience,
    before: Mapping[int, list[ReleasedCell]],
    narrower: Mapping[int, list[ReleasedCell]] | None,
    widths: dict[int, Intervals],
    locked: int,
) -> dict[int, list[ReleasedCell]]:
    """Return the release of related measures."""
    rules = AUDIENCES.rules(audience)
    members = {
        str(kind.number): Member(
            cells=true,
            active=range(CLINICS + 1),
            basis=kind.basis,
            judgement=kind.judgement,
            blocks={"stratum": range(1, STRATA + 1)} if kind.is_stratified else {},
            chosen=widths.get(kind.number, {}),
            earlier=before.get(kind.number, []),
            narrower=None if narrower is None else narrower[kind.number],
            subset_of=frozenset(map(str, kind.subset_of)),
        )
        for kind, true in family.items()
    }
    chosen = family_intervals(members, k=rules.k, closed_before=locked)
    widths |= {int(name): own for name, own in chosen.items()}
    found = release_family(members, intervals=chosen, rules=rules, closed_before=locked)
    return {int(name): cells for name, cells in found.items()}


def audited(
    cubes: Cubes,
    made: Mapping[int, Sequence[ReleasedCell]],
    before: Mapping[int, Sequence[ReleasedCell]],
    audience: Audience,
    locked: int,
) -> Findings:
    """Return what an audit of one audience's release finds."""
    published, tables = [], []
    for kind, true in cubes.items():
        known = {place_of(cell): cell for cell in before.get(kind.number, ())}
        lines = true_lines(
            true, basis=kind.basis, states=kind.states, closed_before=locked
        )
        one = Published(
            measure_id=kind.number,
            basis=kind.basis,
            states=kind.states,
            seen={place_of(cell): cell for cell in made[kind.number]},
            lines=lines,
            fresh=fresh_lines(lines, known),
            subset_of=kind.subset_of,
        )
        published.append(one)
        if kind.is_stratified:
            tables += fresh_tables(
                true,
                one,
                stratifiers=[range(1, STRATA + 1)],
                closed_before=locked,
            )
    return audit_release(published, tables, k=AUDIENCES.rules(audience).k)


def told(audience: Audience, found: Findings, started: float) -> None:
    """Print what an audit did."""
    seconds = time.perf_counter() - started
    print(f"{audience}: {found.audit}, {seconds:.1f} s", flush=True)
    for failure in found.failures[:20]:
        print(f"  fails: {failure}", flush=True)
    print(f"  {len(found.failures)} failures", flush=True)


def measure() -> list[Target]:
    """Release and audit a history, and then one more month."""
    started = time.perf_counter()
    cubes = made_cubes()
    print(f"cubes made in {time.perf_counter() - started:.1f} s", flush=True)
    widths: Widths = {}
    last = FIRST + MONTHS
    made, whole = release_and_audit(cubes, {}, widths, locked=last - 1)
    _, later = release_and_audit(cubes, made, widths, locked=last)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"made in {whole.releasing:.1f} s, and {later.releasing:.1f} s")
    return [
        Target("a whole release audited, s", whole.auditing, 600),
        Target("a later month's release audited, s", later.auditing, 60),
        Target("peak memory, MB", megabytes, 4096),
    ]


def main() -> int:
    """Measure, and tell what was met."""
    return tell(measure())


if __name__ == "__main__":
    sys.exit(main())
