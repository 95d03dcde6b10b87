"""JSON that was sent to be trusted: one meaning, or none."""

import json
from typing import Any, NoReturn, TypeGuard


def parse_document(text: str | bytes) -> dict[str, Any]:
    """
    Return the JSON object in *text*.

    A repeated member is refused, since two readers could each see another value; so
    are NaN and the infinities, which JSON lacks.

    Raises:
        ValueError: not such an object, in UTF-8. Its message may quote the input.

    """
    if isinstance(text, bytes):
        text = text.decode()
    try:
        document = json.loads(
            text, object_pairs_hook=_distinct_members, parse_constant=_refuse_constant
        )
    except RecursionError:
        msg = "The document is nested too deeply"
        raise ValueError(msg) from None
    if not isinstance(document, dict):
        msg = "The document is not an object"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the callers
    return document


def is_name(value: object, *, max_length: int = 255) -> TypeGuard[str]:
    """
    Tell whether *value* is a short printable string that is not empty.

    Control characters and lone surrogates, which JSON can spell, would make a
    database or a digest fail.
    """
    return (
        isinstance(value, str) and 0 < len(value) <= max_length and value.isprintable()
    )


def _distinct_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(members)
    if len(document) != len(members):
        msg = "A member is repeated"
        raise ValueError(msg)
    return document


def _refuse_constant(_name: str) -> NoReturn:
    msg = "A number is not finite"
    raise ValueError(msg)
