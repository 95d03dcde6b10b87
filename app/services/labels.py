"""What our own tables call a code; a sender's display is never kept."""

from app.domain.terminology import LOINC, NETWORK, SNOMED_CT, Coding
