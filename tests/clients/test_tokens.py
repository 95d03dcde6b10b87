"""How others ask for tokens: what works, and what no strict server may let pass."""

import json
import secrets
import time

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from app.domain.clinics import Audience
from app.services import registry
from app.services.hub import Hub
from app.smart.clients import Jwk, generate_key
from app.store.sessions import write_session
from tests import make
from tests.clients.conftest import Kept
from tests.hubs import FHIR_JSON, PRIVATE, Caller

SMART_FETCH_TYPES = (
    "AllergyIntolerance Binary Condition Device DiagnosticReport DocumentReference"
    " Encounter EpisodeOfCare Immunization Location Medication MedicationDispense"
    " MedicationRequest Observation Organization Patient Practitioner"
    " PractitionerRole Procedure ServiceRequest Specimen"
)
"""What `smart-fetch` 1.0.3 asks to read, whatever it is told to fetch."""


def authlib_session(hub: Hub, ehr: Caller, **claims: int) -> OAuth2Session:
    """Return Authlib's client; *claims* are those it is to sign beside its own."""
    key = ECKey.import_key(dict(PRIVATE))
    proof = PrivateKeyJWT(
        hub.token_endpoint,
        alg="ES384",
        headers={"kid": PRIVATE["kid"], "typ": "JWT"},
        claims=claims or None,
    )
    return OAuth2Session(
        ehr.client_id, key, scope=ehr.scope, token_endpoint_auth_method=proof
    )


@pytest.mark.conforms("A17")
async def test_authlib_gets_a_token_and_writes_with_it(
    served_hub: Hub, ehr: Caller, kept: Kept
):
    """With a key of joserfc, and an assertion that lives no longer than SMART says."""
    with authlib_session(served_hub, ehr, exp=int(time.time()) + 240) as session:
        session.fetch_token(served_hub.token_endpoint, grant_type="client_credentials")
        answers = [
            session.post(
                f"{served_hub.fhir_base}/Observation",
                json=make.lab(7.1),
                headers={"Content-Type": FHIR_JSON},
            )
            for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert kept() == {"Observation": 1}


@pytest.mark.conforms("A8", mutation="Authlib's own lifetime of an hour")
async def test_authlib_as_it_comes_is_refused(served_hub: Hub, ehr: Caller):
    """Its assertions would be good for an hour; SMART allows five minutes."""
    with (
        authlib_session(served_hub, ehr) as session,
        pytest.raises(OAuthError, match="invalid_client"),
    ):
        session.fetch_token(served_hub.token_endpoint, grant_type="client_credentials")


@pytest.mark.conforms("A9", mutation="Authlib's second request with given claims")
async def test_authlib_with_claims_of_ones_own_needs_them_anew_each_time(
    served_hub: Hub, ehr: Caller
):
    """It writes its `jti` into the claims it was given, and sends that again."""
    with authlib_session(served_hub, ehr, exp=int(time.time()) + 240) as session:
        session.fetch_token(served_hub.token_endpoint, grant_type="client_credentials")

        with pytest.raises(OAuthError, match="invalid_client"):
            session.fetch_token(
                served_hub.token_endpoint, grant_type="client_credentials"
            )


@pytest.mark.conforms("A16")
@pytest.mark.parametrize("suffix", ["rs", "read"])
async def test_smart_fetch_asks_for_much_and_gets_what_it_may_have(
    ehr: Caller, suffix: str
):
    """It dies of a refusal, and can do with less than it asks for."""
    scope = " ".join(f"system/{name}.{suffix}" for name in SMART_FETCH_TYPES.split())

    answer = await ehr.http.post("/oauth/token", data=ehr.form(scope=scope))

    kinds = ("Condition", "Encounter", "Observation", "Patient")
    assert answer.status_code == 200
    assert set(answer.json()["scope"].split()) == {
        f"system/{kind}.{suffix}" for kind in kinds
    }


@pytest.mark.conforms("A5", mutation="no kid, as @medplum/cli signs")
async def test_an_assertion_that_names_no_key_is_refused(served_hub: Hub, ehr: Caller):
    """`@medplum/cli` signs RS384 without `kid`; the same with one is good."""
    private, public = generate_key("RSA")
    client_id = f"{ehr.client_id}-cli"
    registered = registry.NewClient(
        client_id=client_id,
        name=client_id,
        audience=Audience.MEMBERS,
        scopes=registry.CLINIC_SCOPES,
        clinic=ehr.clinic,
        key_set=json.dumps(public),
    )
    with write_session(served_hub.engine) as session:
        registry.register_client(session, registered, dev_mode=True)

    answers = [
        await ehr.http.post(
            "/oauth/token",
            data=ehr.form(
                client_assertion=rsa_assertion(served_hub, client_id, private, **header)
            ),
        )
        for header in ({}, {"kid": private["kid"]})
    ]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[0].json()["error"] == "invalid_client"


def rsa_assertion(hub: Hub, client_id: str, key: Jwk, **header: str) -> str:
    """Return an assertion signed RS384, good but for its *header*."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": hub.token_endpoint,
        "exp": int(time.time()) + 240,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(
        {"alg": "RS384", "typ": "JWT"} | header,
        claims,
        RSAKey.import_key(dict(key)),
        algorithms=["RS384"],
    )
