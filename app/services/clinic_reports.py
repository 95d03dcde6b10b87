"""What a clinic takes to its monthly meeting: scorecard, place, questions."""

from base64 import b64encode
from collections.abc import Iterator, Sequence

import msgspec

from app.charts.comparison import ClinicPoint
from app.charts.completeness import completeness_of
from app.charts.descriptions import chart_subtitle, interval_label
from app.charts.vega_layers import Spec
from app.charts.vega_notes import note_lines
from app.domain.calendar import month_of_day
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError, NotFoundError
from app.services import specifications
from app.services.charts import ChartOf, ComparisonOf, compare, notes_on
from app.services.editions import Edition, required_edition
from app.services.findings import Verdict, shift_sentence
from app.services.hub import Hub
from app.services.pictures import Picture, drawn
from app.services.releases import today_number
from app.services.scorecards import Line, Scorecard, live_scorecard, released_scorecard
from app.services.series import Wanted
from app.store import clinics
from app.store.annotations import Annotation
from app.store.sessions import ReadSession

MOST_ROWS, MOST_CHARTS, MOST_PLACES = 8, 4, 4
MOST_CHANGES, MOST_TESTS, MOST_QUESTIONS = 3, 3, 4
"""What two pages have room for; of the rest the report says that it is there."""
MOST_NAMED = 3
COMPLETE_ENOUGH = 0.8
"""Below it a share of the scored says too little about all."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that needs no other file, and what it shows in words."""

    source: str
    words: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the scorecard, with its spark line."""

    line: Line
    spark: Image | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A measure's control chart, and the words that belong under its title."""

    line: Line
    words: tuple[str, ...]
    image: Image


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The clinic among the clinics on one measure, by what is released."""

    found: ComparisonOf
    point: ClinicPoint

    @property
    def clinics(self) -> int:
        """Return how many clinics are compared."""
        return sum(each.withheld is None for each in self.found.comparison.points)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A likely change of level, in a sentence."""

    title: str
    sentence: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    The two pages; ``month`` is a month number.

    ``others`` are the measures that have no value, ``more`` those there is no room for.
    ``funnel`` is of the first of the ``places``.
    """

    card: Scorecard
    month: int
    rows: tuple[Row, ...]
    more: tuple[str, ...]
    others: tuple[str, ...]
    charts: tuple[Chart, ...]
    places: tuple[Place, ...]
    funnel: Image | None
    changes: tuple[Change, ...]
    tests: tuple[Annotation, ...]
    questions: tuple[str, ...]


def find_report(
    session: ReadSession, hub: Hub, code: str, *, month: int, released: bool
) -> Report:
    """
    Return the report of the clinic of *code* at a month.

    Args:
        session: to read with.
        hub: whose measures are shown.
        code: the clinic's.
        month: the month number of the last month that it tells of.
        released: only what members are told, in place of the clinic's own numbers.

    Raises:
        InvalidElementError: the month is yet to come.
        NotFoundError: there is no such clinic, or nothing is released.
    """
    clinic = clinics.required_clinic(session, code)
    if month > month_of_day(today_number(hub)):
        msg = "The month is yet to come"
        raise InvalidElementError(msg, expression="month")
    until = month + 1
    if released:
        edition = required_edition(session, hub, Audience.MEMBERS)
        card = released_scorecard(edition, code, until=until)
    else:
        card = live_scorecard(
            session, hub, clinic, audience=Audience.MEMBERS, until=until
        )
    return _report(card, month)


def _report(card: Scorecard, month: int) -> Report:
    lines = sorted((line for line in card.lines if line.newest is not None), key=_order)
    places = _places(card, lines, month)
    return Report(
        card=card,
        month=month,
        rows=tuple(map(_row, lines[:MOST_ROWS])),
        more=tuple(line.page.title for line in lines[MOST_ROWS:]),
        others=tuple(line.page.title for line in card.lines if line.newest is None),
        charts=tuple(_charts(lines)),
        places=tuple(places[:MOST_PLACES]),
        funnel=_funnel(places[0], card) if places else None,
        changes=tuple(_changes(lines))[:MOST_CHANGES],
        tests=tuple(_tests(lines))[:MOST_TESTS],
        questions=tuple(_asked(lines))[:MOST_QUESTIONS],
    )


def _order(line: Line) -> tuple[bool, bool, bool]:
    """Put signals first, then what has an aim, then what the network tells of."""
    return (
        line.verdict is not Verdict.FOUND,
        line.page.target is None,
        line.network is None,
    )


def _row(line: Line) -> Row:
    found = line.found
    if found is None:
        return Row(line=line, spark=None)
    spec = specifications.spark_line_of(found, title=line.page.title)
    return Row(line=line, spark=_image(spec))


def _charts(lines: Sequence[Line]) -> Iterator[Chart]:
    """Yield the first charts: those with signals come before the others."""
    charted = [(line, line.found) for line in lines if line.found is not None]
    for line, found in charted[:MOST_CHARTS]:
        spec = specifications.chart_of(found, title=line.page.title)
        yield Chart(
            line=line,
            words=(chart_subtitle(found.chart), *note_lines(notes_on(found))),
            image=_image(spec | {"title": None}),
        )


def _places(card: Scorecard, lines: Sequence[Line], month: int) -> list[Place]:
    """Return where the clinic stands, of the measures that can be compared."""
    if card.edition is None:
        return []
    places = (_place(card.edition, line, card, month) for line in lines)
    return [place for place in places if place is not None]


def _place(edition: Edition, line: Line, card: Scorecard, month: int) -> Place | None:
    wanted = Wanted(until=month + 1)
    try:
        found = compare(edition, line.page.id, wanted)
    except NotFoundError:
        return None
    for point in found.comparison.points:
        if point.clinic_id == card.clinic.id and point.value is not None:
            return Place(found=found, point=point)
    return None


def _funnel(place: Place, card: Scorecard) -> Image:
    spec = specifications.funnel_of(place.found, own=card.clinic.id)
    return _image(spec | {"title": None})


def _image(spec: Spec) -> Image:
    svg = drawn(spec, Picture.SVG)
    assert isinstance(svg, str)
    data = b64encode(svg.encode()).decode()
    return Image(
        source=f"data:image/svg+xml;base64,{data}", words=str(spec["description"])
    )


def _changes(lines: Sequence[Line]) -> Iterator[Change]:
    for line in lines:
        found = line.found
        if found is not None and found.shift is not None:
            sentence = shift_sentence(found.shift, found.chart)
            yield Change(title=line.page.title, sentence=sentence)


def _tests(lines: Sequence[Line]) -> list[Annotation]:
    """Return what was tried, the newest first, each once."""
    tried = {
        each.id: each
        for line in lines
        if line.found is not None
        for each in line.found.tests_of_change
    }
    return sorted(tried.values(), key=lambda each: -each.month)


def _asked(lines: Sequence[Line]) -> Iterator[str]:
    """Yield each question once, after the measures that it is about."""
    titles: dict[str, list[str]] = {}
    for title, question in _questions(lines):
        titles.setdefault(question, []).append(title)
    for question, about in titles.items():
        rest = len(about) - MOST_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        yield f"{'; '.join(about[:MOST_NAMED])}{more}: {question}"


def _questions(lines: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """Yield what a meeting may ask of which measure: signals, then gaps, then aims."""
    for line in lines:
        if line.found is not None and line.verdict is Verdict.FOUND:
            yield line.page.title, _about_signals(line.found)
    for line in lines:
        newest = line.newest
        share = None if newest is None else completeness_of(newest)
        if share is not None and share < COMPLETE_ENOUGH:
            yield (
                f"{line.page.title} ({share:.0%} scored)",
                "what is missing at the visit, and who could see to it?",
            )
    for line in lines:
        if line.verdict is Verdict.NONE_FOUND and _is_short(line):
            yield (
                line.page.title,
                "steady, and short of the target. Which change do we test next?",
            )


def _about_signals(found: ChartOf) -> str:
    shift = found.shift
    if shift is None:
        return "which points stand out, and what do we know about them?"
    when = interval_label(shift.interval_start, found.chart.interval)
    rose = shift.after > shift.before
    if rose == (found.chart.improvement == "increase"):
        return f"better since about {when}. What did we do, and how do we hold it?"
    return f"worse since about {when}. What was different, and for whom?"


def _is_short(line: Line) -> bool:
    """Return whether the newest value has not reached the target."""
    assert line.newest is not None
    value = line.page.scale.value(line.newest)
    if line.page.target is None or value is None:
        return False
    aim, _ = line.page.target
    if line.page.improvement_notation == "decrease":
        return value > aim
    return value < aim
