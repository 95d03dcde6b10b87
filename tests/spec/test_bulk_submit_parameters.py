"""The Parameters of ``$bulk-submit``: what is read, what is refused, and where."""

from typing import Any

import pytest

from app.domain.errors import ServiceError
from app.fhir.bulk_submissions import (
    SubmissionStatus,
    parse_bulk_submission,
    parse_status_question,
)
from app.fhir.import_manifests import parse_import_manifest

CANARY = "zqxcanary"
SUBMITTER = {
    "name": "submitter",
    "valueIdentifier": {"system": "urn:a", "value": CANARY},
}
ID = {"name": "submissionId", "valueString": CANARY}
MANIFEST = {"name": "manifestUrl", "valueUrl": "https://files.example/m"}
BASE = {"name": "fhirBaseUrl", "valueUrl": "https://ehr.example/fhir"}
WHOLE = [SUBMITTER, ID, MANIFEST, BASE]


def body(*parameters: Any) -> dict:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def status(code: str) -> dict:
    return {"name": "submissionStatus", "valueCoding": {"code": code}}


def header(name: str, value: str) -> dict:
    parts = {"headerName": name, "headerValue": value}
    listed = [{"name": n, "valueString": v} for n, v in parts.items()]
    return {"name": "fileRequestHeader", "part": listed}


def test_a_call_is_read_whole():
    """Each parameter of the draft that is done here."""
    call = parse_bulk_submission(
        body(
            *WHOLE,
            {"name": "replacesManifestUrl", "valueUrl": "https://files.example/old"},
            {"name": "outputFormat", "valueString": "application/fhir+ndjson"},
            {"name": "oauthMetadataUrl", "valueUrl": "https://as.example/a"},
            {"name": "oauthMetadataUrl", "valueUrl": "https://as.example/b"},
            header("X-Key", "k 1"),
            {"name": "metadata", "part": [{"name": CANARY}]},
        )
    )

    assert call.status is SubmissionStatus.IN_PROGRESS
    assert call.manifest_url == "https://files.example/m"
    assert call.replaces_url == "https://files.example/old"
    assert call.access is not None
    assert call.access.fhir_base == "https://ehr.example/fhir"
    assert call.access.oauth_urls == ("https://as.example/a", "https://as.example/b")
    assert call.access.headers == (("X-Key", "k 1"),)
    assert CANARY not in repr(call)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("in-progress", SubmissionStatus.IN_PROGRESS),
        ("completed", SubmissionStatus.COMPLETED),
        ("stopped", SubmissionStatus.STOPPED),
        ("complete", SubmissionStatus.COMPLETED),
        ("aborted", SubmissionStatus.STOPPED),
    ],
)
def test_statuses_of_the_ballot_and_of_earlier_drafts(
    code: str, meant: SubmissionStatus
):
    """Clients of the earlier drafts are about."""
    assert parse_bulk_submission(body(SUBMITTER, ID, status(code))).status is meant


@pytest.mark.parametrize(
    ("parameters", "issue_type", "expression"),
    [
        ([SUBMITTER, ID], "required", "Parameters.parameter"),
        ([ID, MANIFEST, BASE], "required", "Parameters.parameter"),
        ([SUBMITTER, MANIFEST, BASE], "required", "Parameters.parameter"),
        ([SUBMITTER, ID, MANIFEST], "required", "Parameters.parameter"),
        ([*WHOLE, ID], "value", "Parameters.parameter[4]"),
        ([*WHOLE, {"name": CANARY}], "not-supported", "Parameters.parameter[4]"),
        ([*WHOLE, {"name": "import"}], "not-supported", "Parameters.parameter[4]"),
        ([*WHOLE, CANARY], "structure", "Parameters.parameter[4]"),
        ([*WHOLE, status(CANARY)], "code-invalid", "Parameters.parameter[4]"),
        (
            [*WHOLE, {"name": "fileEncryptionKey", "part": []}],
            "not-supported",
            "Parameters.parameter[4]",
        ),
        (
            [*WHOLE, {"name": "outputFormat", "valueString": "application/parquet"}],
            "not-supported",
            "Parameters.parameter[4]",
        ),
        (
            [
                *WHOLE,
                {"name": "replacesManifestUrl", "valueUrl": MANIFEST["valueUrl"]},
            ],
            "value",
            "Parameters.parameter[4]",
        ),
        (
            [{"name": "submitter", "valueString": CANARY}, ID, MANIFEST, BASE],
            "value",
            "Parameters.parameter[0]",
        ),
        (
            [
                {"name": "submitter", "valueIdentifier": {"value": ""}},
                ID,
                status("stopped"),
            ],
            "value",
            "Parameters.parameter[0].valueIdentifier",
        ),
        ([*WHOLE, header("Host", CANARY)], "not-supported", "Parameters.parameter[4]"),
        (
            [*WHOLE, header("Transfer-Encoding", CANARY)],
            "not-supported",
            "Parameters.parameter[4]",
        ),
        (
            [*WHOLE, header("X-A", f"{CANARY}\r\nX-B: c")],
            "value",
            "Parameters.parameter[4]",
        ),
        ([*WHOLE, header("X A", CANARY)], "value", "Parameters.parameter[4]"),
    ],
)
def test_what_can_not_be_taken_is_refused_by_its_place(
    parameters: list, issue_type: str, expression: str
):
    """The element is named, never what it held."""
    with pytest.raises(ServiceError) as refused:
        parse_bulk_submission(body(*parameters))

    assert refused.value.issue_type == issue_type
    assert refused.value.expression == expression
    assert CANARY not in refused.value.message


def test_a_question_of_status_names_a_submission_and_nothing_else():
    """A parameter that would be ignored is refused."""
    assert parse_status_question(body(SUBMITTER, ID)).submission_id == CANARY
    with pytest.raises(ServiceError):
        parse_status_question(body(SUBMITTER, ID, MANIFEST))


def test_an_import_manifest_is_read():
    """UDS+'s names, and those of the SMART draft; who the centre is is passed over."""
    url = {"name": "url", "valueUrl": "https://files.example/a"}
    token = {"name": "authToken", "valueString": CANARY}
    kind = {"name": "type", "valueCode": "Patient"}
    manifest = parse_import_manifest(
        body(
            {"name": "inputFormat", "valueCode": "application/ndjson"},
            {"name": "hcInformation", "part": [{"name": "uei"}]},
            {"name": "submissionId", "valueString": "8600a"},
            {"name": "udsData", "part": [kind, url, token]},
            {"name": "input", "part": [url]},
        )
    )

    assert manifest.submission_id == "8600a"
    assert [file.url for file in manifest.files] == ["https://files.example/a"] * 2
    assert [file.token for file in manifest.files] == [CANARY, None]
    assert not manifest.is_partial
    assert CANARY not in repr(manifest)


@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [{"name": "udsData", "part": [{"name": "type", "valueCode": "Patient"}]}],
        [{"name": "udsData", "part": [{"name": "url", "valueUrl": 3}]}],
        [{"name": "exportUrl", "valueUrl": "https://ehr.example/$export"}],
    ],
)
def test_an_import_without_files_is_refused(parameters: list):
    """Nothing would happen, and look like success."""
    with pytest.raises(ServiceError):
        parse_import_manifest(body(*parameters))
