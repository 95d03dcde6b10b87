"""What has the form of an identifier is found in a text, wherever it stands."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.free_texts import identifying_kinds

DIGITS = "٠١٢٣٤٥٦٧٨٩"
"""Arabic ones."""
words = st.text(alphabet=string.ascii_letters + " ,;:éß", max_size=30)
days = st.dates(min_value=date(1920, 1, 1), max_value=date(2029, 12, 31))
numbers = st.integers(10_000, 10**12).map(str)
phones = st.builds(
    "{}{}{}{}{}".format,
    st.integers(200, 999),
    st.sampled_from("-. "),
    st.integers(200, 999),
    st.sampled_from("-. "),
    st.integers(1000, 9999),
)
mail = st.from_regex(
    r"[a-z]{1,8}(\.[a-z]{1,8})?@[a-z]{1,8}\.(org|example)", fullmatch=True
)
addresses = st.builds(
    "{}{}.example/{}".format,
    st.sampled_from(["http://", "https://", "www.", "ftp://"]),
    st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=9),
    words,
)
written_days = st.builds(
    lambda day, form: form.format(day=day),
    days,
    st.sampled_from(
        [
            "{day:%Y-%m-%d}",
            "{day:%Y/%m/%d}",
            "{day:%m/%d/%Y}",
            "{day:%d.%m.%Y}",
            "{day.month}/{day.day}/{day:%y}",
            "{day:%B} {day.day}, {day.year}",
            "{day.day} {day:%b} {day.year}",
            "{day:%B} {day.day}th {day.year}",
        ]
    ),
)
ssns = st.from_regex(r"[1-8]\d\d-\d\d-\d{4}", fullmatch=True).filter(str.isascii)
identifiers = st.one_of(numbers, phones, mail, addresses, written_days, ssns)


@given(identifiers, words, words)
def test_an_identifier_is_found_between_any_words(
    identifier: str, before: str, after: str
):
    """A text of people is a channel that no allow-list closes."""
    assert [*identifying_kinds(f"{before} {identifier} {after}")]


@given(identifiers, st.data())
def test_marks_that_nobody_sees_hide_nothing(identifier: str, data: st.DataObject):
    """A blank without width, or digits of another script, are read as people do."""
    place = data.draw(st.integers(0, len(identifier)))
    parted = f"{identifier[:place]}\u200b{identifier[place:]}"
    foreign = "".join(DIGITS[int(c)] if c in string.digits else c for c in identifier)

    assert [*identifying_kinds(parted)]
    assert [*identifying_kinds(foreign)]


@pytest.mark.parametrize(
    "text",
    [
        "A nurse fills in the joint count before the visit",
        "From 55 % to 75 % by March 2026, n = 1,240 visits",
        "Between 2024-03 and 2025-02, at 3 of 12 clinics",
        "cJADAS10 below 2.5 (was 3.8); see the huddle of week 14",
        "2024-2025: two PDSA cycles, 1/3 of visits, 10-15 minutes each",
        "The huddle @ 9, then rounds @ noon; in 2024 12 of 40 children",
        "Score 0-10; 24/7 line; 3-month follow-up at 12 weeks",
    ],
)
def test_what_a_team_writes_of_its_practice_passes(text: str):
    """A screen that is in the way is gone round."""
    assert [*identifying_kinds(text)] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ask ada@example.org", "e-mail"),
        ("see https://example.org", "web-address"),
        ("MRN: A12", "medical-record"),
        ("123-45-6789", "ssn"),
        ("call (555) 123-4567", "phone"),
        ("call +49 30 1234567", "phone"),
        ("call 555 . 123 . 4567", "phone"),
        ("ask ada.example @example.org", "e-mail"),
        ("ask ada @ example.org", "e-mail"),
        ("born 2014 03 03", "date"),
        ("patient 12345", "number"),
        ("born 3 March 2014", "date"),
        ("born 3. März 2014", "date"),
        ("born 03/03/14", "date"),
        ("from 10.0.0.1", "network-address"),
    ],
)
def test_the_kind_is_told_and_not_the_text(text: str, kind: str):
    """Whoever is refused learns what to leave out."""
    assert kind in {*identifying_kinds(text)}
