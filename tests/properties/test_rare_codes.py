"""A code that few people have is in no list that others than their clinic see."""

from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.rare_codes import without_rare
from app.domain.terminology import Coding

CODES = st.builds(Coding, st.just("http://loinc.org"), st.text(min_size=1, max_size=8))


@given(st.dictionaries(CODES, st.integers(0, 30)))
def test_a_code_of_fewer_than_eleven_people_is_never_listed(people: dict[Coding, int]):
    """Eleven, as small cells are counted in public; and what is common is listed."""
    listed = without_rare(people)

    assert all(people[code] >= 11 for code in listed)
    assert all(people[code] < 11 for code in people.keys() - listed)
