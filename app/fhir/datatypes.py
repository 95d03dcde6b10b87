"""FHIR's data types -> their stated forms: dates, codings, values."""

from decimal import Decimal
from typing import Any

from app.domain.errors import InvalidElementError
from app.domain.identified import (
    StatedCoding,
    StatedDate,
    StatedQuantity,
    StatedValue,
)
from app.fhir.elements import (
    CODEABLE_CONCEPT,
    CODING,
    PERIOD,
    QUANTITY,
    TIMING,
    note_dropped,
)

Json = dict[str, Any]

MAGNITUDE_LIMIT = 9_000_000_000_000
"""Values are counted as 64-bit integers of millionths."""


def date_called(name: str, *, of: Json, path: str) -> StatedDate | None:
    """Return the date, dateTime or instant called *name* of the element at *path*."""
    text = of.get(name)
    return None if text is None else StatedDate(text, f"{path}.{name}")


def start_of(stem: str, *, of: Json, path: str, dropped: set[str]) -> StatedDate | None:
    """Return when what may be a dateTime or a Period began."""
    text = of.get(f"{stem}DateTime")
    if text is not None:
        return StatedDate(text, f"{path}.{stem}.ofType(dateTime)")
    period = of.get(f"{stem}Period")
    if period is None:
        return None
    element = f"{path}.{stem}.ofType(Period)"
    note_dropped(period, PERIOD, element, dropped)
    return date_called("start", of=period, path=element)


def effective_of(observation: Json, *, dropped: set[str]) -> StatedDate | None:
    """Return when an Observation was made; of a Timing its first event."""
    path = "Observation"
    start = start_of("effective", of=observation, path=path, dropped=dropped)
    if start is not None:
        return start
    text = observation.get("effectiveInstant")
    if text is not None:
        return StatedDate(text, f"{path}.effective.ofType(instant)")
    timing = observation.get("effectiveTiming")
    if timing is None:
        return None
    element = f"{path}.effective.ofType(Timing)"
    note_dropped(timing, TIMING, element, dropped)
    events = timing.get("event")
    return StatedDate(events[0], f"{element}.event[0]") if events else None


def concepts_called(
    name: str, *, of: Json, path: str, dropped: set[str]
) -> tuple[StatedCoding, ...]:
    """Return the codings of every CodeableConcept in the list called *name*."""
    element = f"{path}.{name}"
    codings: tuple[StatedCoding, ...] = ()
    for concept in of.get(name, ()):
        codings += codings_of(concept, path=element, dropped=dropped)
    return codings


def codings_of(
    concept: Json | None, *, path: str, dropped: set[str]
) -> tuple[StatedCoding, ...]:
    """Return the codings of a CodeableConcept."""
    if concept is None:
        return ()
    note_dropped(concept, CODEABLE_CONCEPT, path, dropped)
    codings = concept.get("coding", ())
    return coded(codings, path=f"{path}.coding", dropped=dropped)


def coded(
    codings: list[Json], *, path: str, dropped: set[str]
) -> tuple[StatedCoding, ...]:
    """Return those of *codings* that have a code."""
    stated = []
    for coding in codings:
        note_dropped(coding, CODING, path, dropped)
        code = coding.get("code")
        if code:
            stated.append(StatedCoding(coding.get("system"), code))
    return tuple(stated)


def value_of(
    element: Json, *, path: str, index: str = "", dropped: set[str]
) -> StatedValue:
    """Return the value[x] of an Observation, or of a component and its *index*."""
    at = f"{path}{index}.value"
    quantity = element.get("valueQuantity")
    if quantity is not None:
        note_dropped(quantity, QUANTITY, f"{path}.value.ofType(Quantity)", dropped)
    concept = element.get("valueCodeableConcept")
    absent = element.get("dataAbsentReason")
    return StatedValue(
        quantity=_quantity(quantity, at) or _integer(element.get("valueInteger"), at),
        codings=codings_of(
            concept, path=f"{path}.value.ofType(CodeableConcept)", dropped=dropped
        ),
        boolean=element.get("valueBoolean"),
        absent=codings_of(absent, path=f"{path}.dataAbsentReason", dropped=dropped),
    )


def _quantity(quantity: Json | None, at: str) -> StatedQuantity | None:
    """Return a Quantity that has a value."""
    if quantity is None or quantity.get("value") is None:
        return None
    element = f"{at}.ofType(Quantity)"
    return StatedQuantity(
        value=_decimal(quantity["value"], f"{element}.value"),
        unit=quantity.get("unit"),
        system=quantity.get("system"),
        code=quantity.get("code"),
        comparator=quantity.get("comparator"),
        element=element,
    )


def _integer(number: object, at: str) -> StatedQuantity | None:
    """Return an integer as a quantity without unit."""
    if number is None:
        return None
    element = f"{at}.ofType(integer)"
    return StatedQuantity(value=_decimal(number, element), element=element)


def _decimal(number: object, element: str) -> str:
    """Return a number as it was written."""
    if (
        isinstance(number, int | float | Decimal)
        and not isinstance(number, bool)
        and -MAGNITUDE_LIMIT < number < MAGNITUDE_LIMIT
    ):
        return str(number)
    msg = f"The value is no number below {MAGNITUDE_LIMIT}"
    raise InvalidElementError(msg, expression=element)
