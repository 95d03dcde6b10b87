"""
An import manifest as Parameters: the files of a submission, named in its one call.

Source: HRSA UDS+ 2.0.0, ``$import``; SMART bulk import, manifest draft.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import InvalidElementError, MissingElementError
from app.domain.identified import Identified
from app.fhir.bulk_submissions import (
    Stated,
    check_format,
    checked_header,
    named_parts,
    stated_parameters,
    text_of,
    url_of,
)

MOST_FILES = 10_000
_KNOWN = {
    "inputFormat": "1",
    "inputSource": "1",
    "importProtocol": "1",
    "storageDetail": "1",
    "submissionId": "1",
    "partialSubmission": "1",
    "replaceSubmissionId": "1",
    "hcInformation": "*",
    "udsData": "*",
    "input": "*",
}
_FILE = {
    "type": "1",
    "url": "1",
    "inputUrl": "1",
    "expirationTime": "1",
    "authToken": "1",
}


class ImportFile(Identified, frozen=True, kw_only=True):
    """One file, and the bearer token that its server is to be shown, if any."""

    url: str
    type_name: str
    token: str | None


class ImportManifest(Identified, frozen=True, kw_only=True):
    """
    What an import manifest says.

    ``source_url`` is what relative references are relative to, if it is said. A partial
    submission that replaces another one withdraws nothing.
    """

    submission_id: str | None
    replaces_id: str | None
    is_partial: bool
    source_url: str | None
    files: tuple[ImportFile, ...]


def parse_import_manifest(body: Mapping[str, Any]) -> ImportManifest:
    """
    Return what is to be imported; what is said of the sender is passed over.

    Raises:
        MalformedError: the body is no Parameters.
        NotSupportedError: a parameter is unknown, or the files are no NDJSON.
        InvalidElementError, MissingElementError: one of them can't be taken.
    """
    stated = stated_parameters(body, _KNOWN)
    check_format(stated, "inputFormat")
    listed = [*stated.get("udsData", ()), *stated.get("input", ())]
    if not listed:
        msg = "There is no file to be imported"
        raise MissingElementError(msg, expression="Parameters.parameter")
    if len(listed) > MOST_FILES:
        msg = f"At most {MOST_FILES} files may be named at once"
        raise InvalidElementError(msg, expression="Parameters.parameter")
    return ImportManifest(
        submission_id=text_of(stated, "submissionId", "valueString", "valueId"),
        replaces_id=text_of(stated, "replaceSubmissionId", "valueString", "valueId"),
        is_partial=_is_partial(stated),
        source_url=url_of(stated, "inputSource"),
        files=tuple(_file(part.get("part", []), path) for path, part in listed),
    )


def _is_partial(stated: Stated) -> bool:
    for path, part in stated.get("partialSubmission", ()):
        value = part.get("valueBoolean")
        if not isinstance(value, bool):
            msg = "It is to have a valueBoolean"
            raise InvalidElementError(msg, expression=path)
        return value
    return False


def _file(parts: object, path: str) -> ImportFile:
    stated = named_parts(parts, _FILE, at=f"{path}.part")
    url = url_of(stated, "url") or url_of(stated, "inputUrl")
    if url is None:
        msg = "A file has a url"
        raise MissingElementError(msg, expression=path)
    token = text_of(stated, "authToken", "valueString")
    if token is not None:
        checked_header("Authorization", token, at=path)
    return ImportFile(
        url=url,
        type_name=text_of(stated, "type", "valueCode", "valueString") or "",
        token=token,
    )
