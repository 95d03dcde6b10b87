"""`catchment webhook`: a secret that is shown once, and what may be seen later."""

import pytest

from tests.commands import refusal


@pytest.fixture
def clinic(catchment) -> str:
    """A clinic whose source has a connection; nobody answers there."""
    assert catchment("clinic", "add", "alder").code == 0
    catchment(
        "connect", "alder", "--fhir-base", "http://127.0.0.1:9/r4", "--group", "g"
    )
    return "alder"


def told(output: str) -> dict[str, str]:
    lines = (line.split(maxsplit=1) for line in output.splitlines() if line)
    return {words[0]: words[1] for words in lines}


def test_a_secret_is_shown_when_it_is_made_and_never_again(catchment, clinic):
    """Its URL may be seen at any time, and how many secrets hold."""
    added = catchment("webhook", "add", clinic)
    rotated = catchment("webhook", "rotate", clinic)
    listed = catchment("webhook", "list")

    first, second = told(added.output), told(rotated.output)
    assert first["url"] == second["url"]
    assert "/fhir/webhooks/" in first["url"]
    assert first["secret"] != second["secret"]
    assert len(first["secret"]) == 43
    assert first["url"].rpartition("/")[2] in listed.output.replace("\n", "")
    assert first["secret"] not in listed.output
    assert second["secret"] not in listed.output


def test_a_webhook_is_closed_once(catchment, clinic):
    """Another may be opened in its place, at another URL."""
    first = catchment("webhook", "add", clinic)
    again = catchment("webhook", "add", clinic)
    alone = catchment("webhook", "rotate", clinic, "--newest-only")
    removed = catchment("webhook", "remove", clinic)
    once_more = catchment("webhook", "remove", clinic)
    second = catchment("webhook", "add", clinic)

    assert "catchment webhook rotate" in refusal(again)
    assert alone.output == "The newest secret holds alone\n"
    assert removed.code == 0
    assert "There is no such webhook" in refusal(once_more)
    assert told(first.output)["url"] != told(second.output)["url"]


def test_a_source_without_a_connection_has_no_webhook(catchment):
    """What is named could not be fetched."""
    catchment("clinic", "add", "birch")

    refused = catchment("webhook", "add", "birch")

    assert "catchment connect" in refusal(refused)
