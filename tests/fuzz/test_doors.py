"""Schemathesis at the doors of a served hub: what the documents allow, and more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.services.hub import Hub
from openapi import freeze
from tests.fuzz.tokens import new_token
from tests.hubs import kept_by

pytestmark = pytest.mark.thorough

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
"""Not those of data: a hub refuses much that a document's outline allows."""

ROOT = Path(__file__).parents[2]
EXAMPLES = 60
MAX_SECONDS = 240


@pytest.mark.parametrize(
    ("document", "clinic"),
    [(freeze.DOCUMENT, "reader"), (freeze.FHIR_DOCUMENT, "writer")],
    ids=["openapi", "fhir"],
)
def test_every_answer_is_one_that_the_document_announces(
    served_hub: Hub, tmp_path: Path, document: Path, clinic: str
):
    """No failure of the hub, no status, media type or shape that nobody was told of."""
    token = new_token(served_hub, f"{clinic}-fuzz")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
        *("--url", served_hub.base_url, "--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
        *("--generation-deterministic", "--no-color", "--warnings", "off"),
        *("--generation-with-security-parameters", "false"),
        *("--header", f"Authorization: Bearer {token}"),
        # A minimal answer has no content, and the document cannot say so.
        *("--header", "Prefer: return=representation"),
    ]

    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.fuzz.serializers"},
        text=True,
        timeout=MAX_SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    # It came past the door: by its own making some of what it sent was good.
    assert (clinic == "writer") == bool(kept_by(served_hub.engine, clinic))
