"""What a privacy officer reads, made of what the hub does."""

from app.deid import elements


def elements_page() -> str:
    """Return what becomes of every element of FHIR, as a page in Markdown."""
    return elements.page()
