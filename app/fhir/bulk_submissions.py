"""
The Parameters of ``$bulk-submit`` and ``$bulk-submit-status``, read strictly.

Source: HL7 Bulk Data Access 4.0.0-ballot, "Bulk Submit".
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from app.domain.errors import (
    InvalidCodeError,
    InvalidElementError,
    MalformedError,
    MissingElementError,
    NotSupportedError,
)
from app.domain.identified import Identified

Json = dict[str, Any]

LONGEST_NAME = 1_024
LONGEST_URL = 8_192
MOST_HEADERS = 32
FORMATS = frozenset(
    {"application/fhir+ndjson", "application/ndjson", "fhir+ndjson", "ndjson"}
)
_URL_VALUES = ("valueUrl", "valueUri", "valueString")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?", re.ASCII)
_KEPT = """
accept accept-encoding connection content-length content-type cookie expect host
keep-alive proxy-authenticate proxy-authorization proxy-connection range te trailer
transfer-encoding upgrade
"""
_KEPT_HEADERS = frozenset(_KEPT.split())
"""What the hub says itself, or a connection is made by (RFC 9110 7.6.1)."""


class SubmissionStatus(StrEnum):
    """What its submitter says of a submission."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    STOPPED = "stopped"


_STATUSES = {
    **{status.value: status for status in SubmissionStatus},
    # What earlier drafts called them, and their clients do.
    "complete": SubmissionStatus.COMPLETED,
    "aborted": SubmissionStatus.STOPPED,
}


class SubmissionName(Identified, frozen=True, kw_only=True):
    """By what a submission is known: who submits it, and what they call it."""

    submitter_system: str
    submitter: str
    submission_id: str


class ManifestAccess(Identified, frozen=True, kw_only=True):
    """
    How a manifest and its files are fetched.

    ``fhir_base`` is what relative references are relative to; ``oauth_urls`` say where
    a token is to be had; ``headers`` go with each request.
    """

    fhir_base: str
    oauth_urls: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class BulkSubmission(Identified, frozen=True, kw_only=True):
    """One call of ``$bulk-submit``."""

    name: SubmissionName
    status: SubmissionStatus
    manifest_url: str | None
    replaces_url: str | None
    access: ManifestAccess | None


_KNOWN = {
    "submitter": "1",
    "submissionId": "1",
    "submissionStatus": "1",
    "manifestUrl": "1",
    "replacesManifestUrl": "1",
    "outputFormat": "1",
    "fhirBaseUrl": "1",
    "fileRequestHeader": "*",
    "oauthMetadataUrl": "*",
    "fileEncryptionKey": "1",
    "metadata": "*",
}


def parse_bulk_submission(body: Mapping[str, Any]) -> BulkSubmission:
    """
    Return what a call of ``$bulk-submit`` says; its ``metadata`` is passed over.

    Raises:
        MalformedError: the body is no Parameters.
        NotSupportedError: a parameter is unknown, or of what is not done here.
        InvalidElementError, InvalidCodeError, MissingElementError: one of them can't
            be taken; the expression says which.
    """
    stated = stated_parameters(body, _KNOWN)
    if "fileEncryptionKey" in stated:
        msg = "Encrypted files are not supported"
        raise NotSupportedError(msg, expression=_path(stated, "fileEncryptionKey"))
    check_format(stated, "outputFormat")
    status = _status(stated)
    manifest_url = url_of(stated, "manifestUrl")
    replaces_url = url_of(stated, "replacesManifestUrl")
    if manifest_url is None and replaces_url is None and status is None:
        msg = "There is neither a submissionStatus nor a manifestUrl"
        raise MissingElementError(msg, expression="Parameters.parameter")
    if manifest_url is not None and manifest_url == replaces_url:
        msg = "A manifest can't replace itself"
        at = _path(stated, "replacesManifestUrl")
        raise InvalidElementError(msg, expression=at)
    return BulkSubmission(
        name=_name(stated),
        status=status or SubmissionStatus.IN_PROGRESS,
        manifest_url=manifest_url,
        replaces_url=replaces_url,
        access=None if manifest_url is None else _access(stated),
    )


def parse_status_question(body: Mapping[str, Any]) -> SubmissionName:
    """Return of which submission the status is asked for; see above for refusals."""
    return _name(stated_parameters(body, {"submitter": "1", "submissionId": "1"}))


Stated = dict[str, list[tuple[str, Json]]]
"""Parameters by their names, each with its path."""


def stated_parameters(body: Mapping[str, Any], known: Mapping[str, str]) -> Stated:
    """Return the parameters of *body*, all of which are to be *known*."""
    parameters = body.get("parameter", [])
    if body.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        msg = "The body is no Parameters"
        raise MalformedError(msg, expression="resourceType")
    return named_parts(parameters, known, at="Parameters.parameter")


def named_parts(parts: object, known: Mapping[str, str], *, at: str) -> Stated:
    """Return parameters, or parts of one, by name: each once, or ``*``."""
    if not isinstance(parts, list):
        msg = "Not the kind of JSON value that belongs here"
        raise MalformedError(msg, expression=at)
    stated: Stated = {}
    for index, part in enumerate(parts):
        path = f"{at}[{index}]"
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            msg = "A parameter is an object with a name"
            raise MalformedError(msg, expression=path)
        name = part["name"]
        if name not in known:
            msg = "This parameter is not known here"
            raise NotSupportedError(msg, expression=path)
        if name in stated and known[name] != "*":
            msg = "This parameter may be given only once"
            raise InvalidElementError(msg, expression=path)
        stated.setdefault(name, []).append((path, part))
    return stated


def text_of(stated: Stated, name: str, *kinds: str) -> str | None:
    """Return the text that a parameter has as one of *kinds*; None where it is not."""
    texts = list(texts_of(stated, name, *kinds))
    return texts[0] if texts else None


def texts_of(stated: Stated, name: str, *kinds: str) -> Iterator[str]:
    """Yield the texts that parameters of a name have."""
    for path, part in stated.get(name, ()):
        values = [value for key, value in part.items() if key.startswith("value")]
        found = [part[kind] for kind in kinds if kind in part]
        if len(values) != 1 or len(found) != 1 or not isinstance(found[0], str):
            msg = f"It is to have a {kinds[0]}"
            raise InvalidElementError(msg, expression=path)
        if not found[0].strip() or len(found[0]) > LONGEST_URL:
            msg = "A value is empty, or too long"
            raise InvalidElementError(msg, expression=path)
        yield found[0]


def url_of(stated: Stated, name: str) -> str | None:
    """Return the URL that a parameter has; None where it is not there."""
    return text_of(stated, name, *_URL_VALUES)


def check_format(stated: Stated, name: str) -> None:
    """Refuse files that are not NDJSON of R4."""
    text = text_of(stated, name, "valueString", "valueCode")
    if text is None:
        return
    media_type, *parameters = (part.strip().lower() for part in text.split(";"))
    said = dict(part.partition("=")[::2] for part in parameters)
    version = said.get("fhirversion", "4.0").strip('"')
    if media_type not in FORMATS or not version.startswith("4.0"):
        msg = "Only NDJSON of FHIR 4.0 is read"
        raise NotSupportedError(msg, expression=_path(stated, name))


def _path(stated: Stated, name: str) -> str:
    return stated[name][0][0]


def _required(value: str | None, name: str) -> str:
    if value is None:
        msg = f"{name} is needed"
        raise MissingElementError(msg, expression="Parameters.parameter")
    return value


def _name(stated: Stated) -> SubmissionName:
    """Return who submits, and what they call it."""
    if "submitter" not in stated:
        _required(None, "submitter")
    path, part = stated["submitter"][0]
    identifier = part.get("valueIdentifier")
    if not isinstance(identifier, dict):
        msg = "It is to have a valueIdentifier"
        raise InvalidElementError(msg, expression=path)
    system, value = identifier.get("system", ""), identifier.get("value")
    texts = (system, value)
    if not all(isinstance(t, str) and len(t) <= LONGEST_NAME for t in texts) or not (
        value and value.strip()
    ):
        msg = "An identifier has a value, and a system if any"
        raise InvalidElementError(msg, expression=f"{path}.valueIdentifier")
    submission_id = text_of(stated, "submissionId", "valueString", "valueId")
    return SubmissionName(
        submitter_system=system,
        submitter=value,
        submission_id=_required(submission_id, "submissionId"),
    )


def _status(stated: Stated) -> SubmissionStatus | None:
    if "submissionStatus" not in stated:
        return None
    path, part = stated["submissionStatus"][0]
    coding = part.get("valueCoding")
    code = coding.get("code") if isinstance(coding, dict) else part.get("valueCode")
    status = _STATUSES.get(code) if isinstance(code, str) else None
    if status is None:
        msg = "It is a Coding: in-progress, completed or stopped"
        raise InvalidCodeError(msg, expression=path)
    return status


def _access(stated: Stated) -> ManifestAccess:
    return ManifestAccess(
        fhir_base=_required(url_of(stated, "fhirBaseUrl"), "fhirBaseUrl"),
        oauth_urls=tuple(texts_of(stated, "oauthMetadataUrl", *_URL_VALUES)),
        headers=tuple(_headers(stated)),
    )


def _headers(stated: Stated) -> Iterator[tuple[str, str]]:
    """Yield the headers that files are to be asked for with."""
    listed = stated.get("fileRequestHeader", [])
    if len(listed) > MOST_HEADERS:
        msg = f"At most {MOST_HEADERS} headers may be sent"
        raise InvalidElementError(msg, expression=_path(stated, "fileRequestHeader"))
    for path, each in listed:
        known = {"headerName": "1", "headerValue": "1"}
        parts = named_parts(each.get("part", []), known, at=f"{path}.part")
        name = text_of(parts, "headerName", "valueString")
        value = text_of(parts, "headerValue", "valueString")
        yield checked_header(name, value, at=path)


def checked_header(name: str | None, value: str | None, *, at: str) -> tuple[str, str]:
    """Return a header that may be sent along, or refuse it."""
    if name is None or value is None:
        msg = "A header has a headerName and a headerValue"
        raise MissingElementError(msg, expression=at)
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        msg = "The header is malformed"
        raise InvalidElementError(msg, expression=at)
    if name.lower() in _KEPT_HEADERS:
        msg = "The hub decides about this header itself"
        raise NotSupportedError(msg, expression=at)
    return name, value


class ManifestPlace(Identified, frozen=True, kw_only=True):
    """Where a manifest is, and how it is come by; without a URL it is in the call."""

    url: str | None
    access: ManifestAccess | None


class FilePlace(Identified, frozen=True, kw_only=True):
    """
    Where a file of a manifest is, or the rest of the manifest itself.

    ``with_token`` says that its server asks for the token of the manifest's access;
    ``authorization`` is a header of its own. ``deleted_up_to`` is of a file of what was
    deleted, until that moment (epoch milliseconds).
    """

    url: str
    with_token: bool
    authorization: str | None = None
    deleted_up_to: int | None = None
