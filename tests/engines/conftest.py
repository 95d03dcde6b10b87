"""Spark, where the machine has it."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def spark() -> None:
    """The test skips by name where Spark is not."""
    pytest.importorskip("pyspark", reason="PySpark is not installed (make spark)")
    if shutil.which("java") is None:
        pytest.skip("Java is not here, and Spark needs it")
    # Plans of a second each are not worth the second compiler.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
