"""What a sender's messages leave unsaid: namespaces, code systems, the time zone."""

from collections.abc import Iterable, Mapping

import msgspec

from app.domain.errors import InvalidElementError


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """
    How one sender's messages are to be read.

    ``authorities`` maps an assigning authority, by its namespace or its universal id,
    to the system of its identifiers; ``code_systems`` a name of a coding system to its
    URI; both by names in lower case. ``time_zone`` (IANA) is that of times without an
    offset, of which only the day is read without it. ``unique_systems`` are those that
    count where several identifiers are known; all do where there are none.
    ``encounters`` says whether a visit in PV1 is read.
    """

    authorities: Mapping[str, str] = {}
    code_systems: Mapping[str, str] = {}
    time_zone: str | None = None
    unique_systems: frozenset[str] = frozenset()
    encounters: bool = True


def named_systems(stated: Iterable[str], *, option: str) -> dict[str, str]:
    """
    Return ``NAME=SYSTEM`` pairs as a map; an empty name stands for none stated.

    Raises:
        InvalidElementError: a pair is none.
    """
    systems = {}
    for each in stated:
        name, separator, system = each.partition("=")
        if not separator or not system.strip():
            msg = f"{option} takes NAME=SYSTEM"
            raise InvalidElementError(msg)
        systems[name.strip().lower()] = system.strip()
    return systems
