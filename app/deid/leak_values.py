"""What a string in FHIR looks like: a date, a number of somebody's, a hash, a host."""

import re
from collections.abc import Iterator

from app.deid.places import POPULATED_ZIP3, RESTRICTED_ZIP3

_WITHHELD = re.compile(
    r"[\s*x_.\-]*|\W*(?:redacted|removed|masked|withheld|suppressed|anonymi[sz]ed|"
    r"pseudonymi[sz]ed|de-?identified|unknown|none|null|n/?a)\W*",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})-\d\d(?:-\d\d)?(T.*)?", re.DOTALL)
_TIME = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?")
_ZIP = re.compile(r"(\d{3})(\d\d|\*\*|XX|xx)?(-?\d{4})?")
_HEX = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64})", re.IGNORECASE
)
_LONG_HEX = re.compile(r"(?:[0-9a-f]{96}|[0-9a-f]{128})", re.IGNORECASE)
_BASE64 = re.compile(
    r"[A-Za-z0-9+/]{43}=|[A-Za-z0-9_\-]{43}|[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{27}="
    r"|[A-Za-z0-9+/]{86}=="
)
_UUID = re.compile(
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_NUMBER = re.compile(r"[A-Za-z]{0,4}[-#.]?\d{4,15}|\d+")
_HOST = re.compile(r"(?i)(?:https?|ftp|mllp|wss?)://(?:[^/@\s]*@)?([^/:?#\s]+)")
_SPOKEN = {
    "ssn": re.compile(r"(?<![\d-])\d{3}-\d\d-\d{4}(?![\d-])"),
    "e-mail": re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+"),
    "phone": re.compile(
        r"(?<![\d.\-])(?:\+?1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[.\-])\d{3}[.\-]\d{4}"
        r"(?![\d-])"
        r"|(?<!\w)tel:\+?[\d\-]{6,}"
    ),
    "network-address": re.compile(
        r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
        r"(?![\d.])"
    ),
    "medical-record": re.compile(r"(?i)\bMRN\b\W{0,3}\w*\d"),
}
PUBLIC_HOSTS = (
    *("hl7.org", "hl7.eu", "fhir.org", "loinc.org", "snomed.info", "ihe.net"),
    *("unitsofmeasure.org", "nih.gov", "cdc.gov", "cms.gov", "hhs.gov", "fda.gov"),
    *("who.int", "nucc.org", "ama-assn.org", "nubc.org", "dicom.nema.org", "iso.org"),
    *("w3.org", "ietf.org", "ncpdp.org", "whocc.no", "orpha.net", "genenames.org"),
    *("catchment.example",),
)
"""Hosts of standards and terminologies, which name no site."""
_PUBLIC_OIDS = ("urn:oid:2.16.840.1.113883.6.", "urn:oid:2.16.840.1.113883.5.")
_PUBLIC_URNS = ("urn:iso:", "urn:ietf:", "urn:iso-astm:", "urn:catchment:")


def is_withheld(text: str) -> bool:
    """Return whether a text only says that something was taken away."""
    return _WITHHELD.fullmatch(text) is not None


def date_kind(text: str) -> str | None:
    """Return whether a text is a time of day, or a date finer than a year."""
    match = _DATE.fullmatch(text)
    if match is None:
        return "time-of-day" if _TIME.fullmatch(text) else None
    return "time-of-day" if match[2] else "date"


def year_of(text: object) -> int | None:
    """Return the year that a date begins with."""
    if not isinstance(text, str) or re.match(r"\d{4}(?!\d)", text) is None:
        return None
    return int(text[:4])


def zip_kind(text: str) -> str | None:
    """Return what is wrong with a postal code; None where it is coarse enough."""
    match = _ZIP.fullmatch(text.strip())
    if match is None:
        return "postal-code"
    prefix, two, four = match.groups()
    if four is not None:
        return "zip-plus-4"
    if two is not None and two.isdigit() and two != "00":
        return "zip5"
    is_coarse = prefix in POPULATED_ZIP3 or prefix == RESTRICTED_ZIP3
    return None if is_coarse else "zip3-restricted"


def id_kind(text: str) -> str | None:
    """Return what an id, or an identifier's value, looks like; None: a random one."""
    uuid = _UUID.fullmatch(text.removeprefix("urn:uuid:"))
    if uuid is not None:
        return {"1": "uuid-of-time", "3": "uuid-of-name", "5": "uuid-of-name"}.get(
            uuid[1]
        )
    if _SPOKEN["ssn"].fullmatch(text):
        return "ssn"
    if is_digest(text):
        return "hash"
    return "raw-id" if _NUMBER.fullmatch(text) else None


def last_part(reference: str) -> str:
    """Return the id at the end of a reference."""
    return reference.partition("/_history/")[0].rpartition("/")[2]


def is_digest(text: str) -> bool:
    """Return whether a text has the form of a digest, in hexadecimal or base64."""
    return any(form.fullmatch(text) for form in (_HEX, _LONG_HEX, _BASE64))


def spoken_kinds(text: str) -> Iterator[str]:
    """Yield what stands within a text: a telephone number, an address of mail."""
    for kind, pattern in _SPOKEN.items():
        if pattern.search(text):
            yield kind


def is_site_url(text: str) -> bool:
    """Return whether a text is a URL whose host is not that of a standard."""
    match = _HOST.match(text)
    return match is not None and not _is_public_host(match[1].lower())


def is_public_system(system: str) -> bool:
    """Return whether a system of codes is a public one, by its URI."""
    match = _HOST.match(system)
    if match is not None:
        return _is_public_host(match[1].lower())
    return system.startswith((*_PUBLIC_OIDS, *_PUBLIC_URNS))


def _is_public_host(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in PUBLIC_HOSTS)
