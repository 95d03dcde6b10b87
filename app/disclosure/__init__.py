"""Disclosure control: counts in, releasable counts out."""
