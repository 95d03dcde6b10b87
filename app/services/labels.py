"""What our own tables call a code; a sender's display is never kept."""

from app.domain.terminology import LOINC, NETWORK, SNOMED_CT, Coding

LABELS = {
    Coding(LOINC, "4548-4"): "Hemoglobin A1c/Hemoglobin.total in Blood",
    Coding(LOINC, "8480-6"): "Systolic blood pressure",
    Coding(LOINC, "8462-4"): "Diastolic blood pressure",
    Coding(LOINC, "85354-9"): "Blood pressure panel",
    Coding(NETWORK, "active-joint-count"): "Active joint count",
    Coding(NETWORK, "pucai-total"): "Pediatric Ulcerative Colitis Activity Index",
    Coding(NETWORK, "ibd-pga"): "IBD physician global assessment",
    Coding(SNOMED_CT, "44054006"): "Type 2 diabetes mellitus",
    Coding(SNOMED_CT, "59621000"): "Essential hypertension",
}


def label_of(coding: Coding) -> str | None:
    """Return the hub's own name of a code, if it has one."""
    return LABELS.get(coding)
