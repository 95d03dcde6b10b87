"""
FHIR R4's own rules about our types, as JSON Schema by definition.

Only what R4 calls an error is here (con-3 is a guideline), and of that the rules that
a record on its way here may break. cpt-2 is left out on purpose: an EHR in wide use
breaks it in every Patient, and nothing of a telecom is kept. What compares elements
with each other stands in ``app.fhir.internals``. A schema fails at the object that
its rule is about, not inside it, so that the place of the error is that of the rule.

Source: the constraints in the R4 (4.0.1) StructureDefinitions.
"""

from app.domain.errors import IssueType
from app.domain.terminology import UCUM
from app.fhir.bindings import CONCEPTS
from app.fhir.primitives import Schema, rule

_ACTIVE_CONTENT = (
    r"(?i)<\s*/?\s*(script|style|iframe|frame|frameset|object|embed|applet|form|input"
    r"|button|select|textarea|base|link|meta|html|head|body|svg|video|audio)\b"
    r"|<[^>]*\son[a-z]+\s*=|(javascript|vbscript)\s*:|<!(doctype|entity|\[cdata)|<\?"
)


def _invariant(
    name: str, text: str, schema: Schema, *, at: str | None = None
) -> Schema:
    return {**rule(f"{name}: {text}", code=IssueType.INVARIANT, at=at), **schema}


def _any_of(*names: str) -> Schema:
    return {"anyOf": [{"required": [name]} for name in names]}


def _needs(name: str, key: str, other: str) -> Schema:
    """Rule that *key* is only present together with *other*."""
    text = f"{key} needs {other}"
    return _invariant(name, text, {"dependentRequired": {key: [other]}})


def _not_negative(name: str, *keys: str) -> Schema:
    schema = {"not": {"anyOf": [_holds(key, {"exclusiveMaximum": 0}) for key in keys]}}
    return _invariant(name, f"{' and '.join(keys)} may not be negative", schema)


def _has(*keys: str) -> Schema:
    return {"type": "object", "required": list(keys)}


def _holds(key: str, schema: Schema) -> Schema:
    return _has(key) | {"properties": {key: schema}}


def has_coding(system: str, *codes: str) -> Schema:
    """Match a CodeableConcept that has a coding of *system* with one of *codes*."""
    coding = {
        "required": ["system", "code"],
        "properties": {"system": {"const": system}, "code": {"enum": list(codes)}},
    }
    return {"required": ["coding"], "properties": {"coding": {"contains": coding}}}


def _of_text(schema: Schema) -> Schema:
    return {"properties": {"div": {"if": {"type": "string"}, "then": schema}}}


def _ucum_amount(name: str) -> tuple[Schema, ...]:
    """Rules of the kinds of Quantity that FHIR restricts to UCUM."""
    foreign = _holds("system", {"not": {"const": UCUM}})
    return (
        _needs(name, "value", "code"),
        _invariant(name, "system must be UCUM", {"not": foreign}, at="system"),
    )


def _simple(*keys: str) -> Schema:
    """Rule that quantities which FHIR calls simple have no comparator."""
    schema = {"not": {"anyOf": [_holds(key, _has("comparator")) for key in keys]}}
    text = f"{' and '.join(keys)} may have no comparator"
    return _invariant("sqty-1", text, schema)


def _entries_only(types: tuple[str, ...], part: str) -> Schema:
    """Match a Bundle of one of *types*, or whose entries are without *part*."""
    return {
        "anyOf": [
            {"properties": {"type": {"enum": list(types)}}},
            {"properties": {"entry": {"items": {"not": _has(part)}}}},
        ]
    }


def _entries_all(types: tuple[str, ...], part: str) -> Schema:
    """Match a Bundle that is none of *types*, or whose entries all have *part*."""
    return {
        "anyOf": [
            {"not": _holds("type", {"enum": list(types)})},
            {"properties": {"entry": {"items": {"required": [part]}}}},
        ]
    }


_REQUESTS = ("batch", "transaction", "history")
_RESPONSES = ("batch-response", "transaction-response", "history")
_VALUES = (
    "valueBoolean",
    "valueCodeableConcept",
    "valueDateTime",
    "valueInteger",
    "valuePeriod",
    "valueQuantity",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueString",
    "valueTime",
)
_ABATEMENTS = (
    "abatementDateTime",
    "abatementAge",
    "abatementPeriod",
    "abatementRange",
    "abatementString",
)

_ENTERED_IN_ERROR = has_coding(
    CONCEPTS["Condition.verificationStatus"].system, "entered-in-error"
)
_ABATED = has_coding(
    CONCEPTS["Condition.clinicalStatus"].system, "inactive", "resolved", "remission"
)

INVARIANTS: dict[str, tuple[Schema, ...]] = {
    "Age": (
        *_ucum_amount("age-1"),
        _invariant(
            "age-1",
            "value must be positive",
            {"not": _holds("value", {"maximum": 0})},
            at="value",
        ),
    ),
    "Attachment": (_needs("att-1", "data", "contentType"),),
    "Bundle": (
        _invariant(
            "bdl-1",
            "total is for searches and histories",
            {
                "anyOf": [
                    {"not": _has("total")},
                    _holds("type", {"enum": ["searchset", "history"]}),
                ]
            },
            at="total",
        ),
        _invariant(
            "bdl-2",
            "entry.search is for searches",
            _entries_only(("searchset",), "search"),
            at="entry",
        ),
        _invariant(
            "bdl-3",
            "every entry of a batch, transaction or history needs a request",
            _entries_all(_REQUESTS, "request"),
            at="entry",
        ),
        _invariant(
            "bdl-3",
            "entry.request is for batches, transactions and histories",
            _entries_only(_REQUESTS, "request"),
            at="entry",
        ),
        _invariant(
            "bdl-4",
            "every entry of a response or history needs a response",
            _entries_all(_RESPONSES, "response"),
            at="entry",
        ),
        _invariant(
            "bdl-4",
            "entry.response is for responses and histories",
            _entries_only(_RESPONSES, "response"),
            at="entry",
        ),
    ),
    "BundleEntry": (
        _invariant(
            "bdl-5",
            "an entry without request or response needs a resource",
            _any_of("resource", "request", "response"),
            at="resource",
        ),
        _invariant(
            "bdl-8",
            "fullUrl may not name a version",
            {"not": _holds("fullUrl", {"pattern": "/_history/"})},
            at="fullUrl",
        ),
    ),
    "Condition": (
        _invariant(
            "con-4",
            "where abatement is present, clinicalStatus must be inactive, resolved or "
            "remission",
            {
                "anyOf": [
                    {"not": _any_of(*_ABATEMENTS)},
                    _holds("clinicalStatus", _ABATED),
                ]
            },
            at="clinicalStatus",
        ),
        _invariant(
            "con-5",
            "clinicalStatus may not be present where verificationStatus is "
            "entered-in-error",
            {
                "not": {
                    "allOf": [
                        _has("clinicalStatus"),
                        _holds("verificationStatus", _ENTERED_IN_ERROR),
                    ]
                }
            },
            at="clinicalStatus",
        ),
    ),
    "ConditionEvidence": (
        _invariant("con-2", "evidence needs code or detail", _any_of("code", "detail")),
    ),
    "ConditionStage": (
        _invariant(
            "con-1",
            "stage needs summary or assessment",
            _any_of("summary", "assessment"),
        ),
    ),
    "Count": _ucum_amount("cnt-3"),
    "Distance": _ucum_amount("dis-1"),
    "Duration": _ucum_amount("drt-1"),
    "Narrative": (
        _invariant(
            "txt-1",
            "div must be a div element without active content",
            _of_text(
                {"pattern": r"^\s*<div[\s>]", "not": {"pattern": _ACTIVE_CONTENT}}
            ),
        ),
        _invariant(
            "txt-2",
            "div must have content",
            _of_text({"pattern": r"(?i)>\s*[^<\s]|<img\s"}),
        ),
    ),
    "Observation": (
        _invariant(
            "obs-6",
            "dataAbsentReason may only be present without a value",
            {"not": _has("dataAbsentReason") | _any_of(*_VALUES)},
            at="dataAbsentReason",
        ),
    ),
    "ObservationReferenceRange": (
        _invariant(
            "obs-3",
            "referenceRange needs low, high or text",
            _any_of("low", "high", "text"),
        ),
        _simple("low", "high"),
    ),
    "PatientContact": (
        _invariant(
            "pat-1",
            "contact needs a name, telecom, address or organization",
            _any_of("name", "telecom", "address", "organization"),
        ),
    ),
    "Quantity": (_needs("qty-3", "code", "system"),),
    "Range": (_simple("low", "high"),),
    "SampledData": (_simple("origin"),),
    "TimingRepeat": (
        _needs("tim-1", "duration", "durationUnit"),
        _needs("tim-2", "period", "periodUnit"),
        _not_negative("tim-4", "duration"),
        _not_negative("tim-5", "period"),
        _needs("tim-6", "periodMax", "period"),
        _needs("tim-7", "durationMax", "duration"),
        _needs("tim-8", "countMax", "count"),
        _needs("tim-9", "offset", "when"),
        _invariant(
            "tim-10",
            "timeOfDay and when exclude each other",
            {"not": _has("timeOfDay", "when")},
        ),
    ),
}

CONTAINED: tuple[Schema, ...] = (
    _invariant(
        "dom-2",
        "a contained resource may not contain another",
        {"not": _has("contained")},
        at="contained",
    ),
    _invariant(
        "dom-4",
        "a contained resource has no meta.versionId and no meta.lastUpdated",
        {"not": _holds("meta", _any_of("versionId", "lastUpdated"))},
        at="meta",
    ),
    _invariant(
        "dom-5",
        "a contained resource has no meta.security",
        {"not": _holds("meta", _has("security"))},
        at="meta",
    ),
)
