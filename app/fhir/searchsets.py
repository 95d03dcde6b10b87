"""Matches of a search -> a page of them as an R4 Bundle, with links to the others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from app.domain.errors import NotSupportedError

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

COUNT, OFFSET = "_count", "_offset"
PAGED_BY = (COUNT, OFFSET)
USUAL_COUNT = 50
MOST_AT_ONCE = 500
LONGEST_NUMBER = 9


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which matches are wanted: at most ``count``, after ``offset`` others."""

    count: int = USUAL_COUNT
    offset: int = 0


def parse_page(pairs: Pairs) -> Page:
    """
    Return the page that search parameters ask for; more than the most is the most.

    Raises:
        NotSupportedError: one of them is no number, or stands there twice.
    """
    stated = [(name, value) for name, value in pairs if name in PAGED_BY]
    numbers = dict(stated)
    for name, value in stated:
        is_number = value.isascii() and value.isdecimal()
        if not is_number or len(value) > LONGEST_NUMBER or len(numbers) < len(stated):
            msg = f"{name} is a number, and stands there once"
            raise NotSupportedError(msg)
    return Page(
        count=min(int(numbers.get(COUNT, USUAL_COUNT)), MOST_AT_ONCE),
        offset=int(numbers.get(OFFSET, 0)),
    )


def check_names(pairs: Pairs, known: Iterable[str]) -> None:
    """Refuse a search by what is not *known*: it would find too much."""
    names = [*known]
    if any(name not in PAGED_BY and name not in names for name, _ in pairs):
        msg = f"What can be searched by is {', '.join(sorted(names))}"
        raise NotSupportedError(msg)


def searchset(
    matches: Sequence[Json], *, total: int, page: Page, url: str, pairs: Pairs
) -> Json:
    """
    Return a searchset Bundle.

    Args:
        matches: Of this page; each has an id.
        total: How many there are on all pages.
        page: Which page it is.
        url: Of the type that was searched.
        pairs: The search parameters.
    """
    entries = [
        {
            "fullUrl": f"{url}/{match['id']}",
            "resource": match,
            "search": {"mode": "match"},
        }
        for match in matches
    ]
    offsets = {"self": page.offset}
    if page.count and page.offset + page.count < total:
        offsets["next"] = page.offset + page.count
    if page.count and page.offset:
        offsets["previous"] = max(0, page.offset - page.count)
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": [
            {"relation": relation, "url": _link(url, pairs, page, offset)}
            for relation, offset in offsets.items()
        ],
    }
    return bundle | ({"entry": entries} if entries else {})


def _link(url: str, pairs: Pairs, page: Page, offset: int) -> str:
    """Return the URL of a page of the same search."""
    stated = [(name, value) for name, value in pairs if name not in PAGED_BY]
    place: Mapping[str, int] = {COUNT: page.count, OFFSET: offset}
    return f"{url}?{urlencode([*stated, *place.items()])}"
