"""Atheris between the wire and the store: bytes grown from small resources."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import make
from tests.conftest import ROOT

RUNS = 20_000
MAX_SECONDS = 240
SMALL_PARENT = ("sh", "-c", '"$@"; exit $?', "sh")
"""A process begins with the peak of memory of who starts it; a worker's is large."""

CORPUS = {
    "observation": make.lab(7.1, id="o1", encounter={"reference": "Encounter/e1"}),
    "component": make.observation(
        component=[{"code": {"text": "x"}, "valueInteger": 1}],
        effectivePeriod={"start": "2024-02-29", "end": "2024-03"},
    ),
    "identified": make.observation(
        subject={"identifier": make.identifier("1")},
        meta={"lastUpdated": "2024-02-29T10:00:00.123+05:30"},
        _status={"extension": [{"url": "urn:x", "valueBoolean": True}]},
    ),
    "condition": make.condition(
        onsetAge={"value": 3, "code": "a", "system": make.UCUM},
        clinicalStatus=make.concept(
            "http://terminology.hl7.org/CodeSystem/condition-clinical", "active"
        ),
    ),
    "patient": make.patient(
        birthDate="1970-05",
        gender="female",
        deceasedBoolean=False,
        address=[{"state": "OH", "postalCode": "45229"}],
        link=[{"type": "replaces", "other": {"reference": "Patient/p0"}}],
    ),
    "encounter": make.encounter(period={"start": "2024-02-29T23:30:00Z"}),
    "number": {"resourceType": "Patient", "multipleBirthInteger": 1.0e0},
}


def test_bytes_are_taken_or_refused_and_nothing_else(tmp_path: Path):
    """No error but a typed one, no hang of ten seconds, no gigabyte of memory."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris has no wheel for this machine")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, resource in CORPUS.items():
        (corpus / name).write_text(json.dumps(resource))

    done = subprocess.run(
        [
            *(*SMALL_PARENT, sys.executable, "-m", "tests.fuzz.parser_target"),
            *(f"-runs={RUNS}", "-seed=1", "-max_len=4096", "-timeout=10"),
            *("-len_control=0", "-rss_limit_mb=1024"),
            f"-artifact_prefix={tmp_path}/",
            corpus,
        ],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        timeout=MAX_SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Done {RUNS} runs" in done.stderr
