"""What a privacy officer asks of a policy: what it is, keeps and can answer."""

from collections.abc import Iterator, Mapping
from datetime import date

from app.deid.comparisons import difference, kept, oldest_group
from app.deid.narrowing import Narrowing
from app.deid.policies import (
    ExpertDetermination,
    LimitedDataSet,
    Policy,
    PolicyText,
    parse_policy,
)
from app.domain.calendar import first_day
from app.domain.counts import Interval
from app.measures.libraries import Library
from app.measures.shortfalls import first_month
from app.services.unanswered import unanswered

__all__ = ["beyond", "checked", "explained", "read"]

_CALLED: Mapping[str, str] = {
    "limited_data_set": (
        "a limited data set: still protected health information, for research, public "
        "health or health-care operations, under a data-use agreement"
    ),
    "expert_determination": (
        "de-identified, if and as long as the expert's opinion covers it: keyed names, "
        "the dates that are kept, and all who receive it"
    ),
    "safe_harbor": (
        "not de-identified as rows, since these are known again by keyed hashes of ids "
        "(164.514(c)): protected health information, with years only; what is released "
        "of it carries no such name"
    ),
}
"""What HIPAA calls data that are kept on each ground (docs/privacy/policies.md)."""


def read(text: PolicyText) -> Policy:
    """
    Return the policy of a text.

    Raises:
        InvalidElementError: it can't be read; the message names file and key.
    """
    return parse_policy(text)


def checked(policy: Policy, library: Library, *, today: date) -> Iterator[str]:
    """Yield what a policy is and until when it holds, and what it can answer."""
    terms = policy.terms
    yield f"{terms.id} {terms.version}, SHA-256 {policy.digest}"
    yield f"Legal basis: {terms.legal_basis}, {terms.reference}"
    if isinstance(terms, LimitedDataSet):
        yield f"Agreement: {terms.agreement}"
    if isinstance(terms, ExpertDetermination):
        yield f"Opinion: {terms.opinion}"
    yield f"Holds: {_holds(terms.last_day, today)}"
    yield f"Key: {terms.key_id or 'the current one'}"
    yield f"HIPAA calls what is kept {_CALLED[terms.legal_basis]}"
    for narrowing in policy.narrowings:
        yield from _narrowed(narrowing)
    missing = unanswered(library.measures, policy.keeping)
    for measure in library.measures:
        if measure.id in missing:
            reasons = "; ".join(missing[measure.id].reasons)
            yield f"{measure.id}: not answered: {reasons}"
            continue
        since = first_month(measure, policy.keeping)
        begin = f", from {first_day(since).year} on" if since else ""
        yield f"{measure.id}: answered by {_intervals(policy)}{begin}"


def _holds(last_day: date | None, today: date) -> str:
    if last_day is None:
        return "without an end"
    if last_day < today:
        return f"no more: it expired on {last_day}, and nothing is stored under it"
    return f"up to {last_day}; after that day nothing is stored"


def _intervals(policy: Policy) -> str:
    if policy.keeping.finest is Interval.YEAR:
        return "year"
    return "month, quarter and year"


def _narrowed(narrowing: Narrowing) -> Iterator[str]:
    """Yield what each rule of a file takes away."""
    for rule in narrowing.rules:
        taken = [e for e, n in narrowing.taken_away.items() if n == rule.number]
        what = f"takes away {', '.join(taken)}" if taken else "takes nothing away here"
        yield f"{narrowing.origin}, rule {rule.number}, {rule.path}: {what}"


def explained(policy: Policy) -> Iterator[str]:
    """Yield, in sentences and element by element, what stays, changes and goes."""
    yield "What stays, as it is or changed:"
    for element, words in kept(policy).items():
        said = f"{element}: {_in_words(words)}"
        group = oldest_group(policy) if element == "Patient.birthDate" else None
        yield (
            f"  {said}; who was born in {group} is in one group"
            if group
            else (f"  {said}")
        )
    yield "  When a record came: " + _when(policy)
    yield "  What clinics count themselves, of nobody known: " + _counts(policy)
    yield "What goes:"
    for element in sorted(policy.keeping.taken_away):
        yield f"  {element}: taken away by the rules that the policy is narrowed by"
    yield (
        "  Every other element of a resource: it is not read, or has no place in a "
        "record. Names, addresses but state and ZIP3, telephone numbers, notes, texts, "
        "displays, URLs, devices, pictures and extensions are among them."
    )
    yield "  The time of day, of everything."


def _in_words(words: tuple[str, ...]) -> str:
    """Return what is kept of an element; of a date its finest part says it all."""
    if words[0] != "year":
        return words[0]
    return {
        "year": "its year",
        "month": "its month",
        "day": "its day, in the zone of the source",
    }[words[-1]]


def _when(policy: Policy) -> str:
    unit = policy.keeping.dates
    return "to the moment" if unit == "day" else f"to its {unit}"


def _counts(policy: Policy) -> str:
    """Return to what the numbers of wards are kept: one infection is one person's."""
    if policy.keeping.finest is Interval.YEAR:
        return "refused, since they come by the day or month"
    return f"to the {policy.keeping.dates}, the ward as a keyed hash"


def beyond(less: Policy, more: Policy) -> list[str]:
    """Return what *more* keeps that *less* does not."""
    return difference(less, more)
