"""What a release shows, for its record: shares and totals, never a reason per cell."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import msgspec

from app.disclosure.audiences import AudienceRules
from app.disclosure.groups import Judgement
from app.disclosure.lines import is_large, is_safe_pool
from app.disclosure.people import People
from app.domain.counts import Cell, Interval, ReleasedCell, Withheld

Place = tuple[int | None, Interval, int, int]
"""Clinic (None is the network), width, start, stratum."""
IsSmall = Callable[[ReleasedCell, Sequence[Cell], AudienceRules], bool]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of something are shown."""

    shown: int
    total: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a release shows of one measure.

    ``clinics`` are shown where at least one of their cells is; ``people`` are the
    denominators behind the cells, so a person counts once in each. The numbers after
    them are cells, by why they lack something.
    """

    cells: Share
    clinics: Share
    people: Share
    small: int
    """Withheld: too few people, or too few clinics."""
    complementary: int
    """Withheld so that another cell cannot be worked out."""
    not_published: int
    """Cells of clinics that have no publishing interval."""
    without_population: int
    """Shown, but for the population."""
    rounded_to: int | None = None
    """Counts are told to the nearest multiple of it; None: as they are."""


def summarize(
    cells: Sequence[Cell],
    released: Sequence[ReleasedCell],
    *,
    rules: AudienceRules,
    is_small: IsSmall,
    people: People | None = None,
) -> Summary:
    """
    Return what *released* shows of the true *cells* that it was made from.

    *is_small* tells whether a cell is withheld for its own sake. *people* are the
    network's, where its numbers count each of them once.
    """
    behind = _cells_behind(cells)
    if people is not None:
        once = _cells_behind(people.cells)
        behind |= {place: of for place, of in once.items() if place[0] is None}
    pairs = [(cell, behind[_place(cell)]) for cell in released]
    suppressed = [pair for pair in pairs if pair[0].withheld is Withheld.SUPPRESSED]
    small = sum(is_small(*pair, rules) for pair in suppressed)
    shown = [pair for pair in pairs if pair[0].withheld is None]
    return Summary(
        cells=Share(shown=len(shown), total=len(released)),
        clinics=Share(
            shown=_clinics([cell for cell, _ in shown]), total=_clinics(released)
        ),
        people=Share(shown=_people(shown), total=_people(pairs)),
        small=small,
        complementary=len(suppressed) - small,
        not_published=sum(cell.withheld is Withheld.NOT_PUBLISHED for cell in released),
        without_population=sum(cell.population is None for cell, _ in shown),
        rounded_to=rules.round_to,
    )


def _cells_behind(cells: Sequence[Cell]) -> dict[Place, list[Cell]]:
    """Return the true cells behind each place, the network's included."""
    behind: dict[Place, list[Cell]] = defaultdict(list)
    for cell in cells:
        rest = (cell.interval, cell.interval_start, cell.stratum)
        behind[cell.clinic_id, *rest].append(cell)
        behind[None, *rest].append(cell)
    return behind


def _place(cell: ReleasedCell) -> Place:
    """Return where a cell stands in the cube."""
    return cell.clinic_id, cell.interval, cell.interval_start, cell.stratum


def _clinics(cells: Collection[ReleasedCell]) -> int:
    """Return the number of clinics that have a cell here."""
    return len({cell.clinic_id for cell in cells} - {None})


def _people(pairs: Sequence[tuple[ReleasedCell, Sequence[Cell]]]) -> int:
    """Return the true denominators behind cells."""
    return sum(one.denominator for _, true in pairs for one in true)


def is_about_few(
    released: ReleasedCell,
    true: Sequence[Cell],
    rules: AudienceRules,
    *,
    judgement: Judgement,
    people: People | None = None,
) -> bool:
    """Tell whether a cell is withheld for its own sake: too few people, or clinics."""
    part = {cell.clinic_id: judgement.scored.people(cell) for cell in true}
    if released.clinic_id is None:
        pool = part if people is None else people.part(true, judgement.scored)
        return not is_safe_pool(pool, k=rules.k, min_clinics=rules.min_clinics)
    return not is_large(part.get(released.clinic_id, ()), k=rules.k)
