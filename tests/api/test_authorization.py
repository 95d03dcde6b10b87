"""Who may do what, as seen at the doors."""

import httpx
import pytest
from sqlalchemy import text

from app.services.authorization import REMEMBERED_SECONDS
from app.services.hub import Hub
from tests import make
from tests.hubs import Clock, Network, bearer, rows_of

pytestmark = pytest.mark.anyio


@pytest.mark.conforms("A18", mutation="no access token comes")
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Basic YTpi",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer \u00e9",
    ],
)
async def test_without_a_token_nothing_is_even_read(
    client: httpx.AsyncClient, header: str | None
):
    """401 with WWW-Authenticate, before the body, whatever that is (A18)."""
    headers: dict[bytes, bytes] = {}
    headers = (
        headers if header is None else {b"Authorization": header.encode("latin-1")}
    )

    for path in ("/fhir/Observation", "/fhir", "/fhir/$de-identify"):
        answer = await client.post(path, content=b"{", headers=headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["issue"][0]["code"] == "login"


@pytest.mark.conforms("A18", mutation="an assertion comes for a token")
async def test_a_token_of_another_hub_is_none(network: Network, client):
    """Signed by a stranger, or by us for something else."""
    ehr = network.ehr()

    answer = await client.get("/fhir/Observation/o1", headers=bearer(ehr.assertion()))

    assert answer.status_code == 401


@pytest.mark.conforms("A18", mutation="the client was revoked a moment ago")
async def test_a_revoked_client_is_out_within_moments(
    network: Network, client, clock: Clock, hub: Hub
):
    """Its token holds for minutes yet, but who it speaks for is looked up."""
    ehr = network.ehr()
    token = await ehr.fresh_token()
    headers = bearer(token)
    before = await client.get("/fhir/Patient/p1", headers=headers)

    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE client SET status = 'revoked'"))
    clock.pass_seconds(REMEMBERED_SECONDS)
    after = await client.get("/fhir/Patient/p1", headers=headers)
    again = await client.post("/oauth/token", data=ehr.form())

    assert [before.status_code, after.status_code] == [404, 401]
    assert again.json()["error"] == "invalid_client"


@pytest.mark.conforms("A9")
@pytest.mark.conforms("A9", mutation="the assertion is sent again, on either database")
async def test_an_assertion_is_good_once(network: Network, client):
    """A second use is invalid_client (A9); another client may use the same jti."""
    alpha, beta = network.ehr("alpha-ehr"), network.ehr("beta-ehr")
    form = alpha.form(client_assertion=alpha.assertion(jti="x"))

    first = await client.post("/oauth/token", data=form)
    second = await client.post("/oauth/token", data=form)
    other = await client.post(
        "/oauth/token", data=beta.form(client_assertion=beta.assertion(jti="x"))
    )

    assert [r.status_code for r in (first, second, other)] == [200, 401, 200]
    assert second.json()["error"] == "invalid_client"
    assert first.headers["Cache-Control"] == "no-store"


@pytest.mark.conforms("A18", mutation="the scope lacks the interaction or the type")
@pytest.mark.parametrize(
    ("method", "path", "lacking"),
    [
        ("POST", "/Observation", "system/Observation.ruds"),
        ("PUT", "/Observation/o1", "system/Observation.crds"),
        ("GET", "/Observation/o1", "system/Observation.cuds"),
        ("DELETE", "/Observation/o1", "system/Observation.crus"),
        ("POST", "/Observation", "system/Condition.cruds"),
    ],
)
async def test_each_interaction_needs_its_letter(
    network: Network, hub: Hub, client, method: str, path: str, lacking: str
):
    """403 with insufficient_scope, and nothing stored."""
    ehr = network.ehr()
    token = await ehr.fresh_token(lacking)
    before = rows_of(hub.engine)
    body = make.lab(7.1, id="o1") if method in {"POST", "PUT"} else None

    answer = await client.request(
        method, f"/fhir{path}", json=body, headers=bearer(token)
    )

    assert answer.status_code == 403
    assert answer.json()["issue"][0]["code"] == "forbidden"
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert rows_of(hub.engine) == before


@pytest.mark.conforms("A19")
@pytest.mark.conforms("A19", mutation="one entry has no scope")
async def test_scopes_hold_for_each_entry_of_a_bundle(network: Network, client):
    """A batch answers 403 in the entry; a transaction is refused (A19)."""
    ehr = network.ehr()
    token = await ehr.fresh_token("system/Observation.c system/Claim.c")
    headers = bearer(token)
    entries = [
        make.post(make.lab(7.1)),
        make.post(make.condition()),
        make.put(make.lab(7.2, id="o2")),
        make.delete("Observation/o1"),
        make.post({"resourceType": "Claim"}),
    ]

    whole = await client.post("/fhir", json=make.transaction(*entries), headers=headers)
    parts = await client.post("/fhir", json=make.batch(*entries), headers=headers)

    assert whole.status_code == 403
    assert whole.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    statuses = [e["response"]["status"] for e in parts.json()["entry"]]
    assert statuses == ["201", "403", "403", "403", "200"]


@pytest.mark.conforms("A18", mutation="the record is another clinic's")
async def test_a_clinic_sees_no_other_clinics_records(network: Network):
    """Not by its own id, not by the hub's; what it writes is its own."""
    alpha, beta = network.ehr("alpha-ehr"), network.ehr("beta-ehr")
    own = (await alpha.post(make.lab(7.1, id="o1"))).json()
    subject = own["subject"]["reference"]

    by_id = await beta.read("Observation/o1")
    by_hub_id = await beta.read(f"Observation/{own['id']}")
    written = await beta.put(make.lab(9.9, id=own["id"]))
    referred = await beta.post(make.lab(9.9, subject=make.reference(subject)))
    await beta.delete(f"Observation/{own['id']}")
    await beta.delete("Observation/o1")

    assert [by_id.status_code, by_hub_id.status_code] == [404, 404]
    assert [written.status_code, referred.status_code] == [404, 422]
    kept = (await alpha.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 7.1


@pytest.mark.conforms("A18", mutation="a partner calls a clinic's door")
async def test_a_partner_writes_and_reads_no_records(network: Network):
    """It has no source: 403, whatever it asks of the clinics' doors."""
    partner = network.partner()

    answers = [
        await partner.post(make.lab(7.1)),
        await partner.call("POST", "", make.batch(make.post(make.lab(7.1)))),
        await partner.read("Observation/o1"),
        await partner.call("POST", "/$de-identify", make.lab(7.1)),
        await partner.call("POST", "/Observation/$validate", make.lab(7.1)),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5


@pytest.mark.conforms("A18")
@pytest.mark.conforms("A18", mutation="the resource is outside the scope's category")
async def test_a_scope_that_is_narrowed_covers_no_more(network: Network):
    """system/Observation.cru?category=laboratory: what is sent, stored, read."""
    narrow = "system/Observation.cru?category=laboratory"
    ehr = network.ehr()
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    laboratory = {"category": [make.concept(system, "laboratory")]}
    vital = {"category": [make.concept(system, "vital-signs")]}
    await ehr.put(make.lab(7.1, id="vital", **vital))
    ehr.scope, ehr.until = narrow, 0

    created = await ehr.put(make.lab(7.1, id="o1", **laboratory))
    seen = await ehr.read("Observation/o1")
    other = await ehr.put(make.lab(7.1, id="o2", **vital))
    hidden = await ehr.read("Observation/vital")
    overwritten = await ehr.put(make.lab(7.1, id="vital", **laboratory))

    assert [r.status_code for r in (created, seen)] == [201, 200]
    refused = [r.status_code for r in (other, hidden, overwritten)]
    assert refused == [403, 403, 403]
