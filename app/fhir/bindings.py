"""
The required bindings of FHIR R4 that elements of our types have.

fhir.resources 8 checks none of them. It models R4B (4.3.0); the codes here are those
of R4 (4.0.1), the version that Catchment speaks.

Source: https://hl7.org/fhir/R4/terminologies-valuesets.html
"""

from typing import NamedTuple


class ConceptBinding(NamedTuple):
    """A CodeableConcept must hold a coding of *system* with one of *codes*."""

    system: str
    codes: tuple[str, ...]


_ENCOUNTER_STATUS = (
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
)
_GENDER = ("male", "female", "other", "unknown")
_COMPARATOR = ("<", "<=", ">=", ">")
_UNITS_OF_TIME = ("s", "min", "h", "d", "wk", "mo", "a")

CODES: dict[str, tuple[str, ...]] = {
    "Address.type": ("postal", "physical", "both"),
    "Address.use": ("home", "work", "temp", "old", "billing"),
    "Age.comparator": _COMPARATOR,
    "Bundle.type": (
        "document",
        "message",
        "transaction",
        "transaction-response",
        "batch",
        "batch-response",
        "history",
        "searchset",
        "collection",
    ),
    "BundleEntryRequest.method": ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"),
    "BundleEntrySearch.mode": ("match", "include", "outcome"),
    "ContactPoint.system": ("phone", "fax", "email", "pager", "url", "sms", "other"),
    "ContactPoint.use": ("home", "work", "temp", "old", "mobile"),
    "Contributor.type": ("author", "editor", "reviewer", "endorser"),
    "Count.comparator": _COMPARATOR,
    "DataRequirementSort.direction": ("ascending", "descending"),
    "Distance.comparator": _COMPARATOR,
    "Duration.comparator": _COMPARATOR,
    "Encounter.status": _ENCOUNTER_STATUS,
    "EncounterLocation.status": ("planned", "active", "reserved", "completed"),
    "EncounterStatusHistory.status": _ENCOUNTER_STATUS,
    "HumanName.use": (
        "usual",
        "official",
        "temp",
        "nickname",
        "anonymous",
        "old",
        "maiden",
    ),
    "Identifier.use": ("usual", "official", "temp", "secondary", "old"),
    "MeasureReport.status": ("complete", "pending", "error"),
    "MeasureReport.type": (
        "individual",
        "subject-list",
        "summary",
        "data-collection",
    ),
    "Narrative.status": ("generated", "extensions", "additional", "empty"),
    "Observation.status": (
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ),
    "ParameterDefinition.use": ("in", "out"),
    "Patient.gender": _GENDER,
    "PatientContact.gender": _GENDER,
    "PatientLink.type": ("replaced-by", "replaces", "refer", "seealso"),
    "Quantity.comparator": _COMPARATOR,
    "RelatedArtifact.type": (
        "documentation",
        "justification",
        "citation",
        "predecessor",
        "successor",
        "derived-from",
        "depends-on",
        "composed-of",
    ),
    "TimingRepeat.dayOfWeek": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "TimingRepeat.durationUnit": _UNITS_OF_TIME,
    "TimingRepeat.periodUnit": _UNITS_OF_TIME,
    "TimingRepeat.when": (
        "MORN",
        "MORN.early",
        "MORN.late",
        "NOON",
        "AFT",
        "AFT.early",
        "AFT.late",
        "EVE",
        "EVE.early",
        "EVE.late",
        "NIGHT",
        "PHS",
        "HS",
        "WAKE",
        "C",
        "CM",
        "CD",
        "CV",
        "AC",
        "ACM",
        "ACD",
        "ACV",
        "PC",
        "PCM",
        "PCD",
        "PCV",
    ),
    "TriggerDefinition.type": (
        "named-event",
        "periodic",
        "data-changed",
        "data-added",
        "data-modified",
        "data-removed",
        "data-accessed",
        "data-access-ended",
    ),
}

_MIME_TYPE = r"[^\s/;]+/[^\s/;]+(\s*;\s*\S+)*"
PATTERNS: dict[str, str] = {
    "Attachment.contentType": _MIME_TYPE,
    "DataRequirement.type": "[A-Za-z]+[0-9]*[A-Za-z]*",
    "Money.currency": "[A-Z]{3}",
    "ParameterDefinition.type": "[A-Za-z]+[0-9]*[A-Za-z]*",
    "Signature.sigFormat": _MIME_TYPE,
    "Signature.targetFormat": _MIME_TYPE,
}
"""Required bindings too long to list (media types, ISO 4217, all types): the form."""

UNBOUND: frozenset[str] = frozenset(
    {
        "Age.code",
        "Attachment.language",
        "Bundle.language",
        "Coding.code",
        "Condition.language",
        "Count.code",
        "Distance.code",
        "Duration.code",
        "Encounter.language",
        "Expression.language",
        "Extension.valueCode",
        "MeasureReport.language",
        "Observation.language",
        "ParameterDefinition.name",
        "Patient.language",
        "Quantity.code",
    }
)
"""The elements of type code that R4 binds to nothing, or not by requirement."""

CONCEPTS: dict[str, ConceptBinding] = {
    "Condition.clinicalStatus": ConceptBinding(
        "http://terminology.hl7.org/CodeSystem/condition-clinical",
        ("active", "recurrence", "relapse", "inactive", "remission", "resolved"),
    ),
    "Condition.verificationStatus": ConceptBinding(
        "http://terminology.hl7.org/CodeSystem/condition-ver-status",
        (
            "unconfirmed",
            "provisional",
            "differential",
            "confirmed",
            "refuted",
            "entered-in-error",
        ),
    ),
    "MeasureReport.improvementNotation": ConceptBinding(
        "http://terminology.hl7.org/CodeSystem/measure-improvement-notation",
        ("increase", "decrease"),
    ),
}

_RESOURCE_TYPES = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment
AppointmentResponse AuditEvent Basic Binary BiologicallyDerivedProduct
BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem
Communication CommunicationRequest CompartmentDefinition Composition ConceptMap
Condition Consent Contract Coverage CoverageEligibilityRequest
CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest
DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable
ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition
Group GuidanceResponse HealthcareService ImagingStudy Immunization
ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide
InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media
Medication MedicationAdministration MedicationDispense MedicationKnowledge
MedicationRequest MedicationStatement MedicinalProduct
MedicinalProductAuthorization MedicinalProductContraindication
MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect
MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
Observation ObservationDefinition OperationDefinition OperationOutcome
Organization OrganizationAffiliation Parameters Patient PaymentNotice
PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole
Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson
RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy
ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter
ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap
Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript
ValueSet VerificationResult VisionPrescription
"""
RESOURCE_TYPES: tuple[str, ...] = tuple(_RESOURCE_TYPES.split())
"""Of R4: R4B has no MedicinalProduct, R4 no NutritionProduct, and so on."""
