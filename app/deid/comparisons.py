"""Policies said in words and held against each other, element by element."""

from collections.abc import Mapping

from app.deid.policies import Policy
from app.deid.stored_elements import HASHED, chains_of_elements
from app.domain.calendar import FIRST_YEAR
from app.domain.records import Precision

_EVENTS = (
    "Encounter.period",
    "Condition.onset",
    "Condition.abatement",
    "Condition.recordedDate",
    "Observation.effective",
)
_BIRTHS = ("Patient.birthDate", "Patient.deceased")
_SENT = "meta.lastUpdated"
_UP_TO: Mapping[Precision, tuple[str, ...]] = {
    Precision.DAY: ("year", "month", "day"),
    Precision.MONTH: ("year", "month"),
    Precision.YEAR: ("year",),
}
_CODES = "codes of the listed terminologies, any other as a keyed hash"


def kept(policy: Policy) -> Mapping[str, tuple[str, ...]]:
    """
    Return what a policy keeps of each element, in words; one without words is not kept.

    The words of a date go from the coarsest to the finest.
    """
    left = chains_of_elements().keys() - policy.keeping.taken_away
    return {
        element: words
        for element in chains_of_elements()
        if element in left and (words := _words(element, policy))
    }


def difference(less: Policy, more: Policy) -> list[str]:
    """Return what *more* keeps that *less* does not: elements, with what of them."""
    mine, theirs = kept(less), kept(more)
    found = [
        f"{element}: {', '.join(beyond)}"
        for element, words in theirs.items()
        if (beyond := [word for word in words if word not in mine.get(element, ())])
    ]
    oldest = (more.keeping.oldest_birth_year, less.keeping.oldest_birth_year)
    if oldest[0] < oldest[1] and "Patient.birthDate" in theirs:
        found.append(f"Patient.birthDate: years before {oldest[1]}")
    return found


def _words(element: str, policy: Policy) -> tuple[str, ...]:
    """Return what is kept of one element."""
    dates = policy.keeping.dates
    if element in _EVENTS:
        return _UP_TO[dates]
    if element in _BIRTHS:
        return _UP_TO[max(dates, Precision.MONTH, key=[*_UP_TO].index)]
    name = element.partition(".")[2]
    if name == _SENT:
        return ("the moment",) if dates is Precision.DAY else ()
    if name in HASHED:
        return ("a keyed hash",)
    return (_OTHERS.get(element, _CODES),)


_OTHERS = {
    "Patient.gender": "a code of FHIR's list",
    "Patient.address.state": "the state, by USPS's two letters",
    "Patient.address.postalCode": "ZIP3, 000 where 20,000 people or fewer live",
    "Observation.value": "a number with its UCUM unit, codes, or yes and no",
    "Observation.component": "its code and its value",
    **dict.fromkeys(
        ("Encounter.status", "Observation.status"), "a code of FHIR's list"
    ),
    **dict.fromkeys(
        (
            "Condition.clinicalStatus",
            "Condition.verificationStatus",
            "Observation.dataAbsentReason",
        ),
        "a code of HL7's list",
    ),
}


def oldest_group(policy: Policy) -> str | None:
    """Return which years of birth are one group, if any are."""
    year = policy.keeping.oldest_birth_year
    return None if year <= FIRST_YEAR else f"{year} or before"
