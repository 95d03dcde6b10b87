"""The synthetic network of the demo, and folders of FHIR files dealt to clinics."""
