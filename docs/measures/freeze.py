"""
Write the pages of the library's measures, which are made from their definitions.

They are kept under version control, so that a change of a definition shows in words;
a test compares them with what this program would write.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from app.main import APP, library_texts
from app.measures.libraries import parse_library
from app.measures.pages import pages

HERE = Path(__file__).parent
LIBRARY = APP / "measures" / "library"


def meanings() -> dict[str, str]:
    """Return what each code is, in our own words."""
    text = (LIBRARY / "meanings.csv").read_text("utf-8")
    return {row["code"]: row["meaning"] for row in csv.DictReader(text.splitlines())}


def library_pages() -> Mapping[str, str]:
    """Return the page of each measure by file name."""
    return pages(parse_library(library_texts(LIBRARY)), meanings())


def main() -> None:
    """Write every page, and drop those of measures that are no more."""
    found = library_pages()
    for path in HERE.glob("*.md"):
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
