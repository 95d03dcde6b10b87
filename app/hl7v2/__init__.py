"""HL7 v2 messages, read into FHIR R4; the only importer of hl7."""
