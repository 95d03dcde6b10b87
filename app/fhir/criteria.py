"""Conditions of conditional creates and updates: one identifier, nothing else."""

from urllib.parse import parse_qsl

import msgspec
from typing_extensions import override

from app.domain.errors import MalformedError


class Criterion(msgspec.Struct, frozen=True):
    """An identifier that a record has, or is to have. It is PHI: it has no repr."""

    system: str
    value: str

    @override
    def __repr__(self) -> str:
        return "<Criterion>"


def parse_criterion(criteria: str, *, expression: str | None = None) -> Criterion:
    """
    Return the criterion that the search parameters *criteria* state.

    ``identifier=system|value`` is the one form; a leading ``?`` or ``Type?`` is fine.

    Raises:
        MalformedError: They are of any other form.
    """
    _, mark, query = criteria.rpartition("?")
    parameters = parse_qsl(query if mark else criteria, keep_blank_values=True)
    system, bar, value = parameters[0][1].partition("|") if parameters else ("",) * 3
    if len(parameters) != 1 or parameters[0][0] != "identifier" or not bar:
        raise _refusal(expression)
    if not system or not value:
        raise _refusal(expression)
    return Criterion(system, value)


def _refusal(expression: str | None) -> MalformedError:
    msg = "A condition is of the form identifier=system|value"
    return MalformedError(msg, expression=expression)
