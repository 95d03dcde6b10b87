"""A code that few people have is in no list that others than their clinic see."""

from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.distributions import ClinicShare, distribution_of_code
from app.disclosure.rare_codes import without_rare
from app.domain.terminology import Coding

CODES = st.builds(Coding, st.just("http://loinc.org"), st.text(min_size=1, max_size=8))


@given(st.dictionaries(CODES, st.integers(0, 30)))
def test_a_code_of_fewer_than_eleven_people_is_never_listed(people: dict[Coding, int]):
    """Eleven, as small cells are counted in public; and what is common is listed."""
    listed = without_rare(people)

    assert all(people[code] >= 11 for code in listed)
    assert all(people[code] < 11 for code in people.keys() - listed)


BY_NAME = ClinicsShown.NAMED
SHARES = st.lists(
    st.builds(ClinicShare, proportion=st.floats(0, 1), people=st.integers(0, 12)),
    max_size=6,
)


@given(SHARES, st.integers(1, 5), st.integers(2, 3))
def test_no_distribution_is_told_of_a_rare_code(
    shares: list[ClinicShare], k: int, min_clinics: int
):
    """However low a network sets its members' threshold; a common one's may be told."""
    rules = AudienceRules(k=k, min_clinics=min_clinics, clinics=BY_NAME)
    found = distribution_of_code(shares, rules=rules)

    assert found is None or sum(each.people for each in shares) >= 11


def test_a_common_code_has_its_distribution():
    """Or the rule above would hold of what tells nothing."""
    shares = [ClinicShare(proportion=p, people=6) for p in (0.1, 0.2, 0.3)]
    rules = AudienceRules(k=5, min_clinics=3, clinics=BY_NAME)

    found = distribution_of_code(shares, rules=rules)

    assert found is not None
    assert (found.clinics, found.median) == (3, 0.2)
