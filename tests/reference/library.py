"""The library of measures as it is shipped."""

from pathlib import Path

import app.measures
from app.measures.libraries import parse_library

FOLDER = Path(app.measures.__file__).parent / "library"
FILES = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.yaml")}
LIBRARY = {measure.id: measure for measure in parse_library(FILES)}
