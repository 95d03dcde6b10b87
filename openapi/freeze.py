"""
Write the OpenAPI documents and the Python client that is generated from one of them.

They are kept under version control, so that a change of the interface shows in a
review; a test compares them with what this program would write.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI

from app.key_files import write_master_key
from app.main import create_app
from app.routers.fhir_document import fhir_document
from app.settings import Settings

HERE = Path(__file__).parent
DOCUMENT = HERE / "openapi.json"
FHIR_DOCUMENT = HERE / "fhir.json"
CLIENT = HERE / "python" / "catchment_client"

# Generated models keep what is left to read in a variable ``d``, and lose it where a
# property of that name is read: our denominator.
GENERATORS_D = re.compile(
    r"\bd(?= = dict\(src_dict\)|\.pop\(|\.items\(\))|(?<=additional_properties = )d\b"
)


def document() -> str:
    """Return the OpenAPI document, the same for the same interface."""
    return _text(_application().openapi())


def document_of_fhir() -> str:
    """Return the document of the FHIR interface, the same for the same interface."""
    return _text(fhir_document(_application()))


def _application() -> FastAPI:
    with TemporaryDirectory() as folder:
        key = Path(folder) / "master.key"
        write_master_key(key)
        app = create_app(Settings(database_url="sqlite://", master_key_file=key))
    app.state.hub.engine.dispose()
    return app


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def write_client(source: Path, into: Path) -> None:
    """Write the client's package to the folder *into*, from the document *source*."""
    tools = Path(sys.executable).parent
    subprocess.run(
        [
            tools / "openapi-python-client",
            "generate",
            f"--path={source}",
            f"--config={HERE / 'client.yaml'}",
            f"--output-path={into}",
            "--meta=none",
            "--overwrite",
            "--fail-on-warning",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
    )
    (into / "py.typed").touch()
    for model in (into / "models").glob("*.py"):
        model.write_text(GENERATORS_D.sub("rest", model.read_text()))


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    FHIR_DOCUMENT.write_text(document_of_fhir())
    write_client(DOCUMENT, CLIENT)
