"""State and ZIP3: which addresses say where, and how little."""

import json

import pytest

from app.deid.places import POPULATED_ZIP3, kept_zip3
from tests.deidentification import deidentified, patient


def test_zip_codes_are_cut_as_the_census_of_2020_demands(shared):
    """The cases of a tool that uses the same census."""
    vectors = json.loads((shared / "golden/deid/vectors/vectors.json").read_text())
    cases = [case for case in vectors["postal"] if "expected3" in case]
    of_others = [c for c in vectors["postal"] if "expected" in c and "note" not in c]

    assert len(cases) > 10
    for case in cases:
        assert kept_zip3(case["input"]) == case["expected3"]
    assert len(of_others) > 5
    for case in of_others:
        assert kept_zip3(case["input"]) == case["expected"][:3]


def test_a_town_behind_its_postal_code_goes(shared):
    """One tool keeps its name; here what is no ZIP code is not kept at all."""
    vectors = json.loads((shared / "golden/deid/vectors/vectors.json").read_text())
    bad = [c["input"] for c in vectors["postal"] if "known_bad" in c.get("note", "")]

    assert [kept_zip3(text) for text in bad] == [None] * len(bad) != []


def test_the_allow_list_is_every_prefix_of_more_than_20000_people(shared):
    """Counted from the census table itself; 18 prefixes have too few."""
    folder = shared / "golden/deid/zip3"
    table = json.loads((folder / "zip3.census-2020.json").read_text())
    restricted = json.loads((folder / "restricted_lists.json").read_text())

    populated = {zip3 for zip3, n in table["populations"].items() if n > 20_000}

    assert sum(table["populations"].values()) == 334_726_586
    assert populated == POPULATED_ZIP3
    assert not POPULATED_ZIP3 & set(restricted["census_2020_18"])


@pytest.mark.parametrize(
    ("addresses", "kept"),
    [
        ([{"state": "MA", "postalCode": "02139-1234"}], ("MA", "021")),
        ([{"state": "Massachusetts", "country": "US"}], ("MA", None)),
        ([{"state": "il", "country": "USA"}], ("IL", None)),
        ([{"city": "APO", "state": "AE", "postalCode": "09012"}], (None, "000")),
        ([{"state": "PR", "postalCode": "00601"}], ("PR", "006")),
        ([{"state": "Ann's house", "postalCode": "Ann"}], (None, None)),
        ([{"state": "BY", "country": "DE", "postalCode": "80331"}], (None, None)),
        (
            [
                {"use": "work", "state": "NY", "postalCode": "10001"},
                {"use": "home", "state": "NJ", "postalCode": "07030"},
            ],
            ("NJ", "070"),
        ),
        (
            [
                {"use": "home", "state": "BY", "country": "DE"},
                {"use": "temp", "state": "NY"},
            ],
            ("NY", None),
        ),
        ([], (None, None)),
    ],
)
def test_the_home_in_the_united_states_counts(addresses, kept):
    """Or the first address there; another country's postal code is no ZIP."""
    content = deidentified(patient(address=addresses)).content

    assert (content.state, content.zip3) == kept
