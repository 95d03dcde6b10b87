"""FHIR R4: parse, validate, render; the only importer of fhir.resources."""
