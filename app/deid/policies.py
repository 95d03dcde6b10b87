"""The policy that records are de-identified under: its legal basis, what it keeps."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from app.domain.errors import InvalidElementError, NotSupportedError

NOT_YET_AVAILABLE = frozenset({"safe_harbor", "expert_determination"})

_NETWORK_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a policy file says.

    ``agreement`` names the data-use agreement; ``kept`` says in words what stays of
    each type of resource. ``linkage`` says that the agreement lets patients of several
    clinics be told to be one person.
    """

    id: str
    version: str
    legal_basis: Literal["limited_data_set"]
    agreement: str
    event_dates: Literal["day"]
    birth_dates: Literal["month"]
    kept: dict[str, str]
    linkage: bool = False


class ReportedMeasure(msgspec.Struct, frozen=True):
    """A measure that clinics report counts of; its canonical URL begins with *base*."""

    base: str
    version: str
    is_proportion: bool


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """
    A policy in force.

    ``network_codes`` are the codes of the network's own system that may be kept: those
    that its measures use. ``reported`` are the measures that clinics report counts of,
    by id. ``digest`` is the SHA-256 in hexadecimal of the file's text.
    """

    terms: Terms
    network_codes: frozenset[str]
    reported: Mapping[str, ReportedMeasure]
    digest: str


def parse_policy(
    text: str,
    *,
    network_codes: Iterable[str],
    reported: Mapping[str, ReportedMeasure] = MappingProxyType({}),
) -> Policy:
    """
    Read a policy from TOML.

    Raises:
        NotSupportedError: Its legal basis is one that the hub can't honour yet.
        InvalidElementError: A key is unknown, missing or of a wrong value.
    """
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        msg = "The policy is not TOML"
        raise InvalidElementError(msg) from None
    basis = stated.get("legal_basis")
    if isinstance(basis, str) and basis in NOT_YET_AVAILABLE:
        msg = f"The legal basis {basis} is not available yet"
        raise NotSupportedError(msg, expression="legal_basis")
    try:
        terms = msgspec.convert(stated, Terms)
    except msgspec.ValidationError as error:
        # It names keys and types of the operator's own file; no resource is near.
        msg = f"The policy can't be read: {error}"
        raise InvalidElementError(msg) from error
    codes = frozenset(network_codes)
    if not all(map(_NETWORK_CODE.fullmatch, codes)):
        msg = "A network code is of small letters, digits and hyphens, a letter first"
        raise InvalidElementError(msg, expression="network_codes")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Policy(terms=terms, network_codes=codes, reported=reported, digest=digest)
