"""Spark, where the machine has it."""

import os
import shutil

import pytest

from tests.engines.crowds import Crowd, drawn_crowd


@pytest.fixture(scope="session")
def spark() -> None:
    """The test skips by name where Spark is not."""
    pytest.importorskip("pyspark", reason="PySpark is not installed (make spark)")
    if shutil.which("java") is None:
        pytest.skip("Java is not here, and Spark needs it")
    # Plans of a second each are not worth the second compiler.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    """Some histories for each measure of the library."""
    return drawn_crowd(more=0, worlds_each=2)
