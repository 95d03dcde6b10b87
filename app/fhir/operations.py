"""The operations of the FHIR interface, each with the definition that it answers to."""

from typing import Any, Literal

import msgspec

from app.domain.records import RecordType

Json = dict[str, Any]
PUBLISHED = "2026-11-22"
KEPT_TYPES = tuple(type_.fhir_name for type_ in RecordType)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of an operation, in or out; ``max`` is a number or ``*``."""

    name: str
    use: Literal["in", "out"]
    min: int
    max: str
    type: str
    documentation: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """
    An operation: ``$code`` at the base, on a type or on one record of a type.

    ``base`` is the definition of HL7's that ours narrows down.
    """

    code: str
    title: str
    description: str
    types: tuple[str, ...]
    at_system: bool = False
    at_type: bool = False
    at_instance: bool = False
    base: str | None = None
    affects_state: bool = False
    parameters: tuple[Parameter, ...]


_RESOURCE = Parameter(
    name="resource",
    use="in",
    min=1,
    max="1",
    type="Resource",
    documentation="Alone as the body, or within Parameters.",
)

DE_IDENTIFY = Operation(
    code="de-identify",
    title="Show what would be kept",
    description=(
        "What the hub would keep of a resource, and what it would drop, by path. "
        "Nothing is stored. What a create would refuse is refused likewise. "
        "References stand for records, so they are left out."
    ),
    types=("Resource",),
    at_system=True,
    parameters=(
        _RESOURCE,
        Parameter(
            name="return",
            use="out",
            min=1,
            max="1",
            type="Resource",
            documentation="The resource as a read would give it.",
        ),
        Parameter(
            name="policy",
            use="out",
            min=1,
            max="1",
            type="string",
            documentation="The id of the policy in force.",
        ),
        Parameter(
            name="policyVersion",
            use="out",
            min=1,
            max="1",
            type="string",
            documentation="Its version.",
        ),
        Parameter(
            name="policyDigest",
            use="out",
            min=1,
            max="1",
            type="string",
            documentation="The SHA-256 of its text, as every stored row has it.",
        ),
        Parameter(
            name="linkage",
            use="out",
            min=1,
            max="1",
            type="boolean",
            documentation=(
                "Whether keyed tokens of a Patient's names, birth date and sex are "
                "kept besides, by which it may be told to be another clinic's too. "
                "The tokens are never shown."
            ),
        ),
        Parameter(
            name="translation",
            use="out",
            min=0,
            max="*",
            type="BackboneElement",
            documentation=(
                "In parts: from, a local code as the digest that is kept of it, and "
                "each listed code that it counts as (to), by the source's map."
            ),
        ),
        Parameter(
            name="dropped",
            use="out",
            min=0,
            max="*",
            type="string",
            documentation="The path of an element that is not kept.",
        ),
    ),
)

VALIDATE = Operation(
    code="validate",
    title="Say whether a resource would be taken",
    description=(
        "Every fault that a create (or, by mode, an update) would refuse a resource "
        "for; nothing is stored. Answers 200 whether there are faults or not. "
        "Profiles are not supported, nor is the mode delete."
    ),
    types=KEPT_TYPES,
    at_type=True,
    base="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    parameters=(
        _RESOURCE,
        Parameter(
            name="mode",
            use="in",
            min=0,
            max="1",
            type="code",
            documentation="create (as without it) or update, which demands an id.",
        ),
        Parameter(
            name="return",
            use="out",
            min=1,
            max="1",
            type="OperationOutcome",
            documentation="The faults; severity information where there are none.",
        ),
    ),
)

PURGE = Operation(
    code="purge",
    title="Erase a person",
    description=(
        "Erases a Patient with all that is joined to it and about it, and refuses from "
        "then on what is sent about them by any name that they had. One who was never "
        "seen is refused from then on as well. A second call is a success. Needs the "
        "scope system/purge."
    ),
    types=("Patient",),
    at_instance=True,
    affects_state=True,
    parameters=(
        Parameter(
            name="erased",
            use="out",
            min=4,
            max="4",
            type="BackboneElement",
            documentation="A type, and the count of its records that were erased.",
        ),
    ),
)

TRACE = Operation(
    code="trace",
    title="Say what became of one's own resources",
    description=(
        "For each resource asked about, by a reference or an identifier, in their "
        "order: its fate (stored, withdrawn, placeholder, purged, discarded, refused "
        "or unknown), its version and when it was received, the hub's id of it, and "
        "why its latest version was refused. At most 1,000 at once. Nothing is kept of "
        "the question; the answer names each resource by its place (index) alone."
    ),
    types=("Resource",),
    at_system=True,
    parameters=(
        Parameter(
            name="reference",
            use="in",
            min=0,
            max="*",
            type="Reference",
            documentation="As in a resource; its string alone will do.",
        ),
        Parameter(
            name="identifier",
            use="in",
            min=0,
            max="*",
            type="BackboneElement",
            documentation="In parts: the type of the resource, and the identifier.",
        ),
        Parameter(
            name="resource",
            use="out",
            min=0,
            max="*",
            type="BackboneElement",
            documentation="In parts: what became of one of them.",
        ),
    ),
)

EVALUATE_MEASURE = Operation(
    code="evaluate-measure",
    title="Report on a measure",
    description=(
        "The summary report of one calendar month, quarter or year, out of the newest "
        "release of the caller's audience; to a clinic's client about its own clinic "
        "live. A period of which there is no report is refused, and the refusal says "
        "of which there are."
    ),
    types=("Measure",),
    at_instance=True,
    base="http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure",
    parameters=(
        Parameter(
            name="periodStart",
            use="in",
            min=1,
            max="1",
            type="date",
            documentation="The first day; a month or a year stands for its first.",
        ),
        Parameter(
            name="periodEnd",
            use="in",
            min=1,
            max="1",
            type="date",
            documentation="The last day; a month or a year stands for its last.",
        ),
        Parameter(
            name="reportType",
            use="in",
            min=0,
            max="1",
            type="code",
            documentation="summary, or population, which is R4's word for it.",
        ),
        Parameter(
            name="reporter",
            use="in",
            min=0,
            max="1",
            type="string",
            documentation=(
                "Organization/{code} or Location/{code} of a clinic; without it, or "
                "as Organization/the.network, the network."
            ),
        ),
        Parameter(
            name="subject",
            use="in",
            min=0,
            max="1",
            type="string",
            documentation="The same as reporter, by the name that R4 has for it.",
        ),
        Parameter(
            name="return",
            use="out",
            min=1,
            max="1",
            type="MeasureReport",
            documentation="The report; a count that is withheld is marked as such.",
        ),
    ),
)

PATIENT_STATUS = Operation(
    code="patient-status",
    title="Say where one's own patients stand",
    description=(
        "For each patient asked about, in their order: whether the measure counts them "
        "at the end of a month, and what is missing where they can not be scored. A "
        "clinic's client is told of its own patients alone. At most 500 at once. "
        "Nothing is kept of the question; the answer names each by its place (index)."
    ),
    types=("Measure",),
    at_instance=True,
    parameters=(
        Parameter(
            name="patient",
            use="in",
            min=0,
            max="500",
            type="Reference",
            documentation=(
                "Or an Identifier, or a string: an id, a reference, system|value."
            ),
        ),
        Parameter(
            name="asOf",
            use="in",
            min=0,
            max="1",
            type="date",
            documentation="A month; without it the current one.",
        ),
        Parameter(
            name="measure",
            use="out",
            min=1,
            max="1",
            type="canonical",
            documentation="The measure with its version.",
        ),
        Parameter(
            name="cutOffSet",
            use="out",
            min=0,
            max="1",
            type="string",
            documentation="The name of the cut-off set, where the measure has one.",
        ),
        Parameter(
            name="asOf",
            use="out",
            min=1,
            max="1",
            type="date",
            documentation="The month at whose end they stand so.",
        ),
        Parameter(
            name="countedUpTo",
            use="out",
            min=1,
            max="1",
            type="instant",
            documentation="All that came before is counted.",
        ),
        Parameter(
            name="policyDigest",
            use="out",
            min=1,
            max="1",
            type="string",
            documentation="The SHA-256 of the policy in force.",
        ),
        Parameter(
            name="patient",
            use="out",
            min=0,
            max="500",
            type="BackboneElement",
            documentation=(
                "In parts: index, status (not-found, not-in-population, excluded, "
                "excepted, not-scored, not-met, met, counted), each stratum, and each "
                "observable that is missing."
            ),
        ),
    ),
)

IMPORT = Operation(
    code="import",
    title="Take resources in bulk",
    description=(
        "Takes NDJSON (application/fhir+ndjson, also by gzip) of any size as it comes: "
        "a line with an id is as an update, one without as a create. Answers 202 with "
        "the URL of a status (Content-Location) once what may be kept is staged. The "
        "status is a manifest at the end: how many of each type came to what, and a "
        "file of OperationOutcomes by line number, of equal ones once. With an "
        "Idempotency-Key an upload that is cut off goes on where it was: HEAD answers "
        "after which line (Upload-Offset). As Parameters it is an import manifest: the "
        "files that it names are fetched as those of a bulk submission are."
    ),
    types=("Resource",),
    at_system=True,
    affects_state=True,
    parameters=(),
)

_SUBMISSION = (
    Parameter(
        name="submitter",
        use="in",
        min=1,
        max="1",
        type="Identifier",
        documentation="Who submits, as was agreed with the network.",
    ),
    Parameter(
        name="submissionId",
        use="in",
        min=1,
        max="1",
        type="string",
        documentation=(
            "What the submitter calls it. The pair belongs to the source that used it "
            "first; to others it is forbidden."
        ),
    ),
)

BULK_SUBMIT = Operation(
    code="bulk-submit",
    title="Submit manifests of files",
    description=(
        "Names a Bulk Data manifest, which the hub fetches with its files as a SMART "
        "client, or says that a submission is completed or stopped. What is fetched is "
        "de-identified and staged; it becomes current when the submission is "
        "completed, and stopped it leaves nothing. A submission that has ended takes "
        "nothing more; the same call again is answered the same. Needs the scope "
        "system/bulk-submit."
    ),
    types=("Resource",),
    at_system=True,
    base="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/bulk-submit",
    affects_state=True,
    parameters=(
        *_SUBMISSION,
        Parameter(
            name="submissionStatus",
            use="in",
            min=0,
            max="1",
            type="Coding",
            documentation="in-progress (as without it), completed or stopped.",
        ),
        Parameter(
            name="manifestUrl",
            use="in",
            min=0,
            max="1",
            type="url",
            documentation=(
                "Where a manifest is: by https, at a public address. One that came "
                "before in the submission is not fetched again."
            ),
        ),
        Parameter(
            name="fhirBaseUrl",
            use="in",
            min=0,
            max="1",
            type="url",
            documentation=(
                "What references are relative to; needed with a manifestUrl, and one "
                "of the bases that the source is registered with, if it is with any."
            ),
        ),
        Parameter(
            name="replacesManifestUrl",
            use="in",
            min=0,
            max="1",
            type="url",
            documentation=(
                "A manifest of the submitter's, of this submission or of an earlier "
                "one that was completed: what it alone held is withdrawn, once the new "
                "one was loaded whole."
            ),
        ),
        Parameter(
            name="outputFormat",
            use="in",
            min=0,
            max="1",
            type="string",
            documentation="application/fhir+ndjson, of FHIR 4.0.",
        ),
        Parameter(
            name="fileRequestHeader",
            use="in",
            min=0,
            max="32",
            type="BackboneElement",
            documentation=(
                "In parts: headerName and headerValue. Sent with each request for the "
                "manifest and its files, and not to where a redirect leads; "
                "Authorization to the manifest's origin alone."
            ),
        ),
        Parameter(
            name="oauthMetadataUrl",
            use="in",
            min=0,
            max="*",
            type="url",
            documentation=(
                "A smart-configuration, or the metadata of a protected resource (RFC "
                "9728): where the hub gets a token for the manifest, and for its files "
                "if they require one."
            ),
        ),
        Parameter(
            name="metadata",
            use="in",
            min=0,
            max="*",
            type="BackboneElement",
            documentation="Passed over, and not kept.",
        ),
        Parameter(
            name="return",
            use="out",
            min=1,
            max="1",
            type="OperationOutcome",
            documentation="That the call was taken.",
        ),
    ),
)

BULK_SUBMIT_STATUS = Operation(
    code="bulk-submit-status",
    title="Say what becomes of a submission",
    description=(
        "Answers 202 with the URL of a status (Content-Location): a manifest with what "
        "is wrong, by submitted manifest; at the end also with the submitter's own "
        "de-identified records, the MeasureReports of its own clinic, and what was "
        "withdrawn because it was replaced. Needs the scope system/bulk-submit."
    ),
    types=("Resource",),
    at_system=True,
    base="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/bulk-submit-status",
    parameters=_SUBMISSION,
)

OPERATIONS = (
    DE_IDENTIFY,
    VALIDATE,
    PURGE,
    TRACE,
    IMPORT,
    BULK_SUBMIT,
    BULK_SUBMIT_STATUS,
    EVALUATE_MEASURE,
    PATIENT_STATUS,
)


def definition_url(operation: Operation, *, base_url: str) -> str:
    """Return where the definition of *operation* is served."""
    return f"{base_url}/OperationDefinition/{operation.code}"


def operation_definition(code: str, *, base_url: str) -> Json | None:
    """Return the R4 OperationDefinition of an operation; None for one not here."""
    operation = next((each for each in OPERATIONS if each.code == code), None)
    if operation is None:
        return None
    definition = {
        "resourceType": "OperationDefinition",
        "id": code,
        "url": definition_url(operation, base_url=base_url),
        "name": operation.code.title().replace("-", ""),
        "title": operation.title,
        "status": "active",
        "kind": "operation",
        "date": PUBLISHED,
        "description": operation.description,
        "affectsState": operation.affects_state,
        "code": code,
        "base": operation.base,
        "resource": list(operation.types),
        "system": operation.at_system,
        "type": operation.at_type,
        "instance": operation.at_instance,
        "parameter": [msgspec.to_builtins(each) for each in operation.parameters],
    }
    return {name: value for name, value in definition.items() if value is not None}
