"""The policy that records are de-identified under: its legal basis, what it keeps."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from typing_extensions import override

from app.deid.narrowing import Narrowing, parse_narrowing
from app.domain.calendar import FIRST_YEAR
from app.domain.errors import InvalidElementError
from app.domain.keeping import Keeping
from app.domain.records import Precision

_NETWORK_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
OLDEST_AGE = 90
"""From this age on all are one group (45 CFR 164.514(b)(2)(i)(C))."""

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$", max_length=64)]
Text = Annotated[str, Meta(min_length=1)]


class Terms(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="legal_basis",
):
    """
    What every policy file says.

    ``reference`` is where the law or document stands. ``expires`` is the last day on
    which anything is stored under it. ``key_id`` is the version of the master key that
    names must be made under, if the policy binds itself to one. ``narrowed_by`` names
    files with rules of other tools, which take away from what is kept. ``linkage``:
    the agreement lets patients of several clinics be told to be one person.
    """

    id: Name
    version: Text
    reference: Text
    key_id: Annotated[int, Meta(ge=1)] | None = None
    expires: date | None = None
    narrowed_by: tuple[Text, ...] = ()
    linkage: bool = False

    @property
    def legal_basis(self) -> str:
        """Return the ground on which records are kept."""
        return str(self.__struct_config__.tag)

    @property
    def oldest_birth_year(self) -> int:
        """Return the year that stands for itself and all before it."""
        return FIRST_YEAR

    @property
    def last_day(self) -> date | None:
        """Return the last day on which anything is stored under the policy, if any."""
        return self.expires


class LimitedDataSet(Terms, frozen=True, kw_only=True, tag="limited_data_set"):
    """A limited data set (45 CFR 164.514(e)), under the data-use agreement named."""

    agreement: Text
    event_dates: Literal["day"]
    birth_dates: Literal["month"]


class ExpertDetermination(Terms, frozen=True, kw_only=True, tag="expert_determination"):
    """What an expert has found the risk of to be very small (164.514(b)(1))."""

    opinion: Text
    expires: date
    event_dates: Literal["day", "month"]
    birth_dates: Literal["month"]


class SafeHarbor(Terms, frozen=True, kw_only=True, tag="safe_harbor"):
    """
    Years only (164.514(b)(2)).

    Who is 90 on ``ages_as_of``, or turns so in its year, is in one group with all who
    are older; so the year of birth of nobody says, up to that day, an age above 89.
    """

    ages_as_of: date
    event_dates: Literal["year"]
    birth_dates: Literal["year"]

    @property
    @override
    def oldest_birth_year(self) -> int:
        """Return the year that stands for itself and all before it."""
        return self.ages_as_of.year - OLDEST_AGE

    @property
    @override
    def last_day(self) -> date | None:
        """Return the day after which a year of birth could say an age above 89."""
        return min(self.expires or self.ages_as_of, self.ages_as_of)


Policies = LimitedDataSet | ExpertDetermination | SafeHarbor


class ReportedMeasure(msgspec.Struct, frozen=True):
    """A measure that clinics report counts of; its canonical URL begins with *base*."""

    base: str
    version: str
    is_proportion: bool


class PolicyText(msgspec.Struct, frozen=True, kw_only=True):
    """
    A policy as its files have it.

    ``origin`` is what the file is called in messages; ``rules`` are the texts of the
    files that it is narrowed by, in its order, by the names that it gives them.
    """

    origin: str
    text: str
    rules: Mapping[str, str] = MappingProxyType({})


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """
    A policy in force.

    ``stated`` is its text, ``keeping`` what it keeps, ``narrowings`` what each of its
    files of rules takes away. ``network_codes`` are the codes of the network's own
    system that may be kept: those that its measures use. ``reported`` are the measures
    that clinics report counts of, by id. ``digest`` is the SHA-256 in hexadecimal of
    the file's text and of those of its rules.
    """

    stated: PolicyText
    terms: Policies
    keeping: Keeping
    narrowings: tuple[Narrowing, ...]
    network_codes: frozenset[str]
    reported: Mapping[str, ReportedMeasure]
    digest: str


def named_rules(stated: PolicyText) -> tuple[str, ...]:
    """
    Return which files a policy is narrowed by.

    Raises:
        InvalidElementError: it can't be read; the message says where.
    """
    return _terms(stated).narrowed_by


def parse_policy(
    stated: PolicyText,
    *,
    network_codes: Iterable[str] = (),
    reported: Mapping[str, ReportedMeasure] = MappingProxyType({}),
) -> Policy:
    """
    Read a policy from TOML, and what it is narrowed by from JSON or YAML.

    Raises:
        InvalidElementError: a key is unknown, missing or of a wrong value, or a rule
            is one that can't be honoured; the message names file and key.
    """
    terms = _terms(stated)
    if terms.linkage and isinstance(terms, SafeHarbor):
        # 45 CFR 164.514(c): no code may be derived from who it is about.
        msg = f"{stated.origin}: safe harbor leaves no room for linkage tokens"
        raise InvalidElementError(msg, expression="linkage")
    codes = frozenset(network_codes)
    if not all(map(_NETWORK_CODE.fullmatch, codes)):
        msg = "A network code is of small letters, digits and hyphens, a letter first"
        raise InvalidElementError(msg, expression="network_codes")
    narrowings = tuple(
        parse_narrowing(stated.rules[name], origin=name) for name in terms.narrowed_by
    )
    taken_away = frozenset(e for each in narrowings for e in each.taken_away)
    return Policy(
        stated=stated,
        terms=terms,
        keeping=Keeping(
            dates=Precision(terms.event_dates),
            oldest_birth_year=terms.oldest_birth_year,
            taken_away=taken_away,
        ),
        narrowings=narrowings,
        network_codes=codes,
        reported=reported,
        digest=_digest(stated, terms.narrowed_by),
    )


def _terms(stated: PolicyText) -> Policies:
    """Return what a policy file says."""
    try:
        said: dict[str, Any] = tomllib.loads(stated.text)
    except tomllib.TOMLDecodeError:
        msg = f"{stated.origin}: the policy is not TOML"
        raise InvalidElementError(msg) from None
    try:
        terms: Policies = msgspec.convert(said, Policies)
    except msgspec.ValidationError as error:
        # It names keys and types of the operator's own file; no resource is near.
        msg = f"{stated.origin}: {error}"
        raise InvalidElementError(msg) from error
    return terms


def _digest(stated: PolicyText, names: Iterable[str]) -> str:
    """Return the SHA-256 of a policy's text; each file of rules goes in by its own."""
    whole = hashlib.sha256(stated.text.encode())
    for name in names:
        whole.update(hashlib.sha256(stated.rules[name].encode()).digest())
    return whole.hexdigest()
