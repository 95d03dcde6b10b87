"""What a SMART client finds before it has a token."""

import httpx
import pytest

from app.fhir.capabilities import OAUTH_URIS
from tests.hubs import BASE_URL

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

PATHS = (
    "/.well-known/smart-configuration",
    "/fhir/.well-known/smart-configuration",
)
ENDPOINTS = {
    "token_endpoint": f"{BASE_URL}/oauth/token",
    "introspection_endpoint": f"{BASE_URL}/oauth/introspect",
    "revocation_endpoint": f"{BASE_URL}/oauth/revoke",
    "registration_endpoint": f"{BASE_URL}/oauth/register",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/fhir+json", "text/html", "application/xml"]
)
async def test_discovery_is_json_whatever_is_accepted(
    client: httpx.AsyncClient, path: str, accept: str | None
):
    """SMART 2.2.0, Conformance: at the root and the FHIR base, absolute URLs only."""
    headers = {} if accept is None else {"Accept": accept}

    answer = await client.get(path, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    stated = answer.json()
    assert ENDPOINTS.items() <= stated.items()
    urls = {name for name in stated if name.endswith(("_endpoint", "_uri"))}
    assert urls == set(ENDPOINTS)
    assert "issuer" not in stated
    assert "plain" not in stated["code_challenge_methods_supported"]


async def test_every_announced_endpoint_answers(client: httpx.AsyncClient):
    """In OAuth's words, to a request that says nothing."""
    for url in ENDPOINTS.values():
        answer = await client.post(url)

        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"


async def test_the_capability_statement_names_the_same_token_endpoint(
    client: httpx.AsyncClient,
):
    """The python fhirclient looks for it only there."""
    statement = (await client.get("/fhir/metadata")).json()

    (extension,) = statement["rest"][0]["security"]["extension"]
    assert extension["url"] == OAUTH_URIS
    found = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert found["token"] == ENDPOINTS["token_endpoint"]
