"""The library of measures as it is shipped."""

from pathlib import Path

import app.measures
from app.main import library_texts
from app.measures.libraries import read_library

FOLDER = Path(app.measures.__file__).parent / "library"
FILES = dict(library_texts(FOLDER))
READ = read_library(FILES)
LIBRARY = {m.id: m for m in READ.measures if m.summary is None}
"""Those that count people."""
