"""
Rules of other tools, read as what they take away from what a policy keeps.

Those of Microsoft's Tools for Health Data Anonymization (JSON) and of MIRACUM's FHIR
Pseudonymizer (YAML). There a rule that matches changes a resource, and what none
matches stays; here nothing is kept but what the policy keeps, so that a rule can only
take away. As there the first rule that matches a node decides on it and on all within
it.

- ``keep`` shields from later rules, and never widens.
- ``redact``, ``substitute``, ``perturb`` and ``generalize`` take away.
- ``cryptoHash``, ``encrypt`` and ``pseudonymize`` take away too; but of ids, which are
  hashed under the hub's own keys in any case, they ask for what is done.
- A rule under a condition takes away whether the condition holds or not, and does not
  shield.
- A shift of dates is refused, and so is what would leave records uncountable.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from app.deid.fhir_paths import Chain, Term, parse_path
from app.deid.stored_elements import HASHED, NEEDED, chains_of_elements
from app.domain.errors import InvalidElementError

_KEYS = {"fhirVersion", "processingError", "processingErrors", "fhirPathRules"}
_PARAMETERS = {
    "dateShiftKey",
    "dateShiftScope",
    "dateShiftFixedOffsetInDays",
    "cryptoHashKey",
    "cryptoHashAlgorithm",
    "encryptKey",
    "enablePartialAgesForRedact",
    "enablePartialDatesForRedact",
    "enablePartialZipCodesForRedact",
    "restrictedZipCodeTabulationAreas",
}
_TAKING = {
    "redact": set(),
    "substitute": {"replaceWith"},
    "perturb": {"span", "rangeType", "roundTo"},
    "generalize": {"cases", "otherValues"},
}
_HASHING = {
    "cryptohash": {"truncateToMaxLength"},
    "encrypt": set(),
    "pseudonymize": {"domain", "namespace", "domain-prefix", "entici"},
}
_KNOWN: dict[str, set[str]] = {"keep": set(), **_TAKING, **_HASHING}
_SHIFT = "dateshift"
_WEAK_SHIFT = (
    "a shift of dates is refused: one date that is known beside its shifted one tells "
    "the shift of everybody, and a shifted event is counted in another month; cut "
    "dates by event_dates in the policy instead"
)
_FIXED_SHIFT = (
    "a fixed shift is refused: one known date undoes it for everybody, and every "
    "interval shorter than a year, and the year's ends, would count other events than "
    "were in it"
)


class Rule(NamedTuple):
    """A rule, its number in the file from 1, and what it selects."""

    number: int
    path: str
    method: str
    terms: tuple[Term, ...]

    def decides(self, chain: Chain) -> bool:
        """Return whether it decides on the last node of *chain*."""
        shields = self.method == "keep"
        return any(
            term.selects(chain)
            for term in self.terms
            if not (shields and term.is_conditional)
        )


class Narrowing(NamedTuple):
    """What a file of rules takes away: elements, each with the rule that does it."""

    origin: str
    rules: tuple[Rule, ...]
    taken_away: Mapping[str, int]


def parse_narrowing(text: str, *, origin: str) -> Narrowing:
    """
    Return what the rules of a file take away.

    Raises:
        InvalidElementError: a key, method or path is not known, dates are shifted, or
            something is taken away that nothing can be counted without; the message
            names the file and the rule's number.
    """
    stated = _mapping(_read(text, origin), origin)
    _refuse_unknown(stated, _KEYS | {"parameters"}, origin)
    if str(stated.get("fhirVersion") or "R4").upper() != "R4":
        raise _refusal(origin, "fhirVersion", "this hub reads R4")
    _check_parameters(stated.get("parameters") or {}, origin)
    listed = stated.get("fhirPathRules")
    if not isinstance(listed, list):
        raise _refusal(origin, "fhirPathRules", "a list of rules is missing")
    rules = tuple(_rule(n, each, origin) for n, each in enumerate(listed, 1))
    taken = dict(_taken_away(rules))
    for element, number in taken.items():
        reason = NEEDED.get(element.partition(".")[2])
        if reason is not None:
            where = f"{origin}, rule {number}"
            msg = f"it takes away {element}, {reason}; put a rule that keeps it before"
            raise _refusal(where, "path", msg)
    return Narrowing(origin, rules, taken)


def _read(text: str, origin: str) -> object:
    """Return what JSON or YAML says, by the name of its file."""
    try:
        if origin.endswith(".json"):
            return json.loads(text)
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        msg = f"{origin}: neither JSON nor YAML"
        raise InvalidElementError(msg) from None


def _mapping(stated: object, where: str) -> Mapping[str, Any]:
    if not isinstance(stated, dict) or not all(isinstance(k, str) for k in stated):
        msg = f"{where}: not a mapping of keys"
        raise InvalidElementError(msg)
    return stated


def _refuse_unknown(
    stated: Mapping[str, Any], known: Iterable[str], where: str
) -> None:
    for key in sorted(stated.keys() - set(known)):
        raise _refusal(where, key, "not a key that is known here")


def _check_parameters(stated: object, origin: str) -> None:
    """Refuse a shift; what the others say is about changes that are not made."""
    where = f"{origin}, parameters"
    parameters = _mapping(stated, where)
    _refuse_unknown(parameters, _PARAMETERS, where)
    if parameters.get("dateShiftFixedOffsetInDays") is not None:
        raise _refusal(where, "dateShiftFixedOffsetInDays", _FIXED_SHIFT)


def _rule(number: int, stated: object, origin: str) -> Rule:
    """Return the rule of a number, or say what is wrong with it."""
    where = f"{origin}, rule {number}"
    said = _mapping(stated, where)
    path, method = said.get("path"), said.get("method")
    if not isinstance(path, str) or not isinstance(method, str):
        key = "method" if isinstance(path, str) else "path"
        raise _refusal(where, key, "a rule has a path and a method")
    if method.lower() == _SHIFT:
        raise _refusal(where, "method", _WEAK_SHIFT)
    if method.lower() not in _KNOWN:
        raise _refusal(where, "method", f"no method {method} is known here")
    _refuse_unknown(said, {"path", "method", *_KNOWN[method.lower()]}, where)
    terms = parse_path(path)
    if terms is None:
        msg = f"{path} is beyond the part of FHIRPath that is read here"
        raise _refusal(where, "path", msg)
    return Rule(number, path, method.lower(), terms)


def _refusal(where: str, key: str, reason: str) -> InvalidElementError:
    return InvalidElementError(f"{where}, {key}: {reason}", expression=key)


def _taken_away(rules: Iterable[Rule]) -> Iterator[tuple[str, int]]:
    """Yield each element that a rule takes away, with the first such rule."""
    for element, chains in chains_of_elements().items():
        numbers = [
            rule.number
            for chain in chains
            if (rule := next((r for r in rules if r.decides(chain)), None)) is not None
            and _takes(rule, element)
        ]
        if numbers:
            yield element, min(numbers)


def _takes(rule: Rule, element: str) -> bool:
    """Return whether a rule that decides on *element* takes it away."""
    if rule.method in _HASHING:
        return element.partition(".")[2] not in HASHED
    return rule.method in _TAKING
