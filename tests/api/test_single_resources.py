"""One resource at a time: create, update, read, withdraw, and their conditions."""

import pytest

from tests import make
from tests.hubs import Network

pytestmark = pytest.mark.anyio


async def test_a_create_tells_where_the_record_is(network: Network):
    """201 with Location and ETag (R1), and the de-identified record as the body."""
    ehr = network.ehr()

    response = await ehr.post(make.lab(7.1))

    assert response.status_code == 201
    assert response.headers["ETag"] == 'W/"1"'
    own = response.json()["id"]
    assert own.startswith("hub-")
    location = f"https://hub.example/fhir/Observation/{own}/_history/1"
    assert response.headers["Location"] == location
    assert response.headers["Content-Type"] == "application/fhir+json"
    again = await ehr.read(f"Observation/{own}")
    assert again.status_code == 200
    assert again.json() == response.json()
    assert again.headers["ETag"] == 'W/"1"'
