"""What people may write: short, in one line, and nothing that looks like a patient."""

from collections.abc import Mapping

from app.deid.free_texts import identifying_kinds
from app.domain.errors import InvalidElementError, MissingElementError

LONGEST = 1000
"""Characters of a text."""
LONGEST_NAME = 200
"""Characters of what somebody or something is called."""
NAMES = frozenset({"author", "name"})


def check_texts(texts: Mapping[str, str | None]) -> None:
    """
    Refuse texts, by the elements they stand in, that nobody else ought to read.

    Raises:
        InvalidElementError: one is too long, has a mark that is not printed, or has in
            it what looks like an identifier of somebody. The text is not told.
    """
    for element, text in texts.items():
        if text is not None:
            _check(element, text)


def check_stated(texts: Mapping[str, str | None]) -> None:
    """
    Refuse texts that have to be there and are not, or that ``check_texts`` refuses.

    Raises:
        MissingElementError: one is absent or empty.
    """
    for element, text in texts.items():
        if text is None or not text.strip():
            msg = f"Say its {element}"
            raise MissingElementError(msg, expression=element)
    check_texts(texts)


def _check(element: str, text: str) -> None:
    longest = LONGEST_NAME if element in NAMES else LONGEST
    if len(text) > longest or not text.isprintable():
        msg = f"A text here is one line of at most {longest} printable characters"
        raise InvalidElementError(msg, expression=element)
    kinds = ", ".join(identifying_kinds(text))
    if kinds:
        msg = f"It has what looks like an identifier in it ({kinds}); leave that out"
        raise InvalidElementError(msg, expression=element)
