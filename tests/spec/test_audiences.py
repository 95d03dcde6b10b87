"""Who reads releases, and what the file that says so may contain."""

from datetime import date
from pathlib import Path

import pytest

from app.disclosure.audiences import ClinicsShown, PeopleCounted, parse_audiences
from app.domain.calendar import day_number, month_number
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError

TEXT = (Path(__file__).parents[2] / "app" / "disclosure" / "audiences.toml").read_text()


def test_the_built_in_audiences_are_the_public_and_the_members():
    """The public never sees a single clinic; 11 is the threshold of CMS."""
    audiences = parse_audiences(TEXT)

    public = audiences.rules(Audience.PUBLIC)
    members = audiences.rules(Audience.MEMBERS)
    assert (public.k, public.min_clinics) == (11, 3)
    assert public.clinics is ClinicsShown.NONE
    assert (members.k, members.min_clinics) == (5, 3)
    assert members.clinics is ClinicsShown.NAMED
    assert audiences.lock_days == 60


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "\nround = 5",
        TEXT.replace("lock_days = 60", ""),
        TEXT.replace("k = 11", "k = 1"),
        TEXT.replace("min_clinics = 3", "min_clinics = 2"),
        TEXT.replace('"named"', '"some"'),
        TEXT.replace("[members]", "[partners]"),
        TEXT.replace("k = 5", 'k = 5\ncounts = "twice"'),
        TEXT.replace("k = 5", 'k = 5\ncounts = "deduplicated"'),
        TEXT.replace("k = 11", 'k = 11\ncounts = "deduplicated"'),
        "not toml",
    ],
)
def test_a_file_that_means_something_else_is_refused(text: str):
    """A rule that is misspelt must not be a rule that is not applied."""
    with pytest.raises(InvalidElementError):
        parse_audiences(text)


def test_both_audiences_get_the_same_kind_of_count():
    """Members read the public's release too, and would subtract one from the other."""
    once = 'counts = "deduplicated"\n'
    both = TEXT.replace("k = 11", f"{once}k = 11").replace("k = 5", f"{once}k = 5")

    assert parse_audiences(TEXT).counts is PeopleCounted.SUMMED
    assert parse_audiences(both).counts is PeopleCounted.DEDUPLICATED


def test_the_digest_is_of_the_rules_and_not_of_the_text():
    """A comment changes nothing; a threshold does."""
    digest = parse_audiences(TEXT).digest

    assert parse_audiences("# a remark\n" + TEXT).digest == digest
    assert parse_audiences(TEXT.replace("k = 5", "k = 6")).digest != digest


@pytest.mark.parametrize(
    ("today", "closed_before"),
    [(date(2024, 3, 31), (2024, 1)), (date(2024, 4, 1), (2024, 2))],
)
def test_an_interval_is_locked_sixty_days_after_its_end(
    today: date, closed_before: tuple[int, int]
):
    """January 2024 ends with the 31st; the 1st of April is 60 days after 1 February."""
    audiences = parse_audiences(TEXT)

    assert audiences.closed_before(day_number(today)) == month_number(*closed_before)
