"""SMART on FHIR authorization, both ways."""
