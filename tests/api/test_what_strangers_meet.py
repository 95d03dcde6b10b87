"""What a stranger to the hub tries first, and what it must not do to them."""

import pytest

from app.services import recounts as counting
from app.services.hub import Hub
from tests.hubs import Network, bearer, current_of
from tests.make import (
    batch,
    lab,
    observation,
    patient,
    post,
    reference,
    transaction,
)

ABSENT = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}


async def test_a_status_that_is_only_explained_away_is_refused_by_name(
    network: Network,
):
    """FHIR takes it; who cannot tell whether a result stands must not count it."""
    ehr = network.ehr()
    without = {k: v for k, v in observation().items() if k != "status"}
    strange = without | {"_status": ABSENT}

    alone = await ehr.post(strange)
    statuses = await ehr.send(batch(post(strange), post(lab(7))))

    assert alone.status_code == 422
    assert alone.json()["issue"][0]["expression"] == ["Observation.status"]
    assert statuses == ["422", "201"]


async def test_two_patients_of_one_bundle_are_two_however_alike(
    network: Network, hub: Hub
):
    """Twins have one birthday; sent again, each is found again."""
    ehr = network.ehr()
    twins = transaction(
        *(
            entry
            for name in ("a", "b")
            for entry in (
                post(
                    patient(gender="female", birthDate="2015-03-04"),
                    fullUrl=f"urn:uuid:{name}",
                ),
                post(lab(7, subject=reference(f"urn:uuid:{name}"))),
            )
        )
    )

    first = await ehr.send(twins)
    again = await ehr.send(twins)

    assert first == ["201"] * 4
    assert again == ["200"] * 4
    assert current_of(hub.engine) == {"Patient": 2, "Observation": 2}


async def test_a_full_url_stands_for_one_entry(network: Network, hub: Hub):
    """Whom would a reference to it mean otherwise (bdl-7)?"""
    ehr = network.ehr()
    entries = [post(patient(gender=g), fullUrl="urn:uuid:x") for g in ("male", "other")]

    response = await ehr.call("POST", "", transaction(*entries))

    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == ["Bundle.entry[1].fullUrl"]
    assert not current_of(hub.engine)


@pytest.mark.parametrize("wanted", ["json", "application/fhir+json", "text/json"])
async def test_the_format_may_be_asked_for_in_the_url(network: Network, wanted: str):
    """A raw plus in a query means a space to most parsers (R14)."""
    ehr = network.ehr()

    response = await ehr.call("POST", f"/Observation?_format={wanted}", lab(7))

    assert response.status_code == 201


async def test_the_hubs_own_url_is_a_reference(network: Network):
    """What the Location header says can be referred to as it stands."""
    ehr = network.ehr()
    created = await ehr.post(patient(gender="male"))
    location = created.headers["Location"].partition("/_history")[0]

    result = await ehr.post(lab(7, subject=reference(location)))

    about = result.json()["subject"]["reference"]
    assert about == f"Patient/{created.json()['id']}"


async def test_a_mistaken_parameter_is_named(network: Network, hub: Hub):
    """The name is ours, so it may be told; its value is not."""
    counting.register_measures(hub)
    partner = network.partner()
    token = await partner.fresh_token()

    response = await partner.http.get(
        "/v1/measures/bp-control/series",
        params={"from": "Zqx1"},
        headers=bearer(token),
    )

    assert response.status_code == 400
    assert "from" in response.json()["detail"]
    assert "Zqx1" not in response.text


async def test_who_brings_no_token_is_only_asked_for_one(client):
    """RFC 6750: an error code is for those who tried; a method not allowed is told."""
    nothing = await client.get("/fhir/Patient/x")
    wrong = await client.get("/fhir/Patient/x", headers={"Authorization": "Bearer x"})
    method = await client.patch("/fhir/metadata")

    assert nothing.headers["www-authenticate"] == "Bearer"
    assert "invalid_token" in wrong.headers["www-authenticate"]
    assert method.status_code == 405
    assert "GET" in method.headers["allow"]


async def test_an_unknown_type_is_not_found_whatever_the_body(network: Network):
    """`POST /fhir/$no-such` in NDJSON is no question of the media type."""
    ehr = network.ehr()

    response = await ehr.call(
        "POST", "/$no-such", b"{}", Content_Type="application/fhir+ndjson"
    )

    assert response.status_code == 404


async def test_another_worker_takes_over_at_once(network: Network, hub: Hub, clock):
    """A server that was killed held the lease; the next one must not stand still."""
    ehr = network.ehr()
    counting.register_measures(hub)
    counting.count_new_measures(hub, holder="old")
    await ehr.post(lab(7))
    assert counting.recount_dirty(hub, holder="old") == 1
    await ehr.post(lab(8))

    clock.pass_seconds(2.1)

    assert counting.recount_dirty(hub, holder="new") == 1
