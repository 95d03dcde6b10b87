"""De-identification: identified record in, de-identified record out."""
