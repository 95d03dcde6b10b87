"""Who says what about charts in a test: a coordinator, clinics, readers of releases."""

import dataclasses
from typing import Any

import httpx

from app.domain.clinics import Audience
from app.domain.counts import ReleasedCell
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.registry import PARTNER_SCOPES
from app.smart.tokens import issue_token
from app.store.releases import add_release, save_cells
from app.store.sessions import write_session
from tests import released_hub
from tests.hubs import Caller, Network, bearer
from tests.released_hub import FIRST, MONTHS

SIGNED = {"author": "Dr. Ada Example, QI lead", "reason": "The team agreed"}
TEST_OF_CHANGE: dict[str, Any] = {
    "kind": "test-of-change",
    "month": "2024-05",
    "clinic": "alder-creek",
    "measures": [released_hub.MEASURE],
    "what": "A nurse fills in the joint count before the visit",
    "hypothesis": "Ten points more of the children in low disease activity",
    **SIGNED,
}
SHIFT: dict[str, Any] = {
    "kind": "shift",
    "month": "2024-08",
    "clinic": "alder-creek",
    "measures": [released_hub.MEASURE],
    **SIGNED,
}


@dataclasses.dataclass(kw_only=True)
class Voice:
    """A client that speaks at the doors of /v1."""

    http: httpx.AsyncClient
    token: dict[str, str]

    async def get(self, path: str, **asked: Any) -> httpx.Response:
        return await self.http.get(f"/v1/{path}", params=asked, headers=self.token)

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/v1/{path}", json=body, headers=self.token)

    async def read(self, path: str, **asked: Any) -> dict[str, Any]:
        """Return an answer that is there."""
        answer = await self.get(path, **asked)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def say(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return what was made of a body that is taken."""
        answer = await self.post(path, body)
        assert answer.status_code in {200, 201}, answer.text
        made: dict[str, Any] = answer.json()
        return made


@dataclasses.dataclass(kw_only=True)
class Voices:
    """All who take part in a test."""

    coordinator: Voice
    alder: Voice
    birch: Voice
    member: Voice
    anyone: Voice


async def voice_of(caller: Caller) -> Voice:
    return Voice(http=caller.http, token=bearer(await caller.fresh_token()))


async def voices_at(hub: Hub, network: Network, http: httpx.AsyncClient) -> Voices:
    """Enrol them, with a release for members and one for the public."""
    released_hub.enrol(hub)
    released_hub.release(hub)
    return Voices(
        coordinator=await voice_of(network.coordinator()),
        alder=await voice_of(network.ehr("alder-ehr", clinic="alder-creek")),
        birch=await voice_of(network.ehr("birch-ehr", clinic="birch-hill")),
        member=Voice(http=http, token=released_hub.token(hub, "app")),
        anyone=Voice(http=http, token=released_hub.token(hub, "anyone")),
    )


def with_scope(hub: Hub, client_id: str, *scopes: str) -> dict[str, str]:
    """Return the header of a token that its client's registration may not cover."""
    token = issue_token(
        client_id,
        scopes or PARTNER_SCOPES,
        key=hub.signing_key,
        issuer=hub.base_url,
        audience=hub.fhir_base,
        now=hub.clock() // 1000,
        jti="scoped",
    )
    return bearer(token)


def publish_to_members(
    hub: Hub, measure_id: str, cells: list[ReleasedCell], *, months: int = MONTHS
) -> None:
    """Publish cells of one measure as the newest release of the members."""
    with write_session(hub.engine) as session:
        release_id = add_release(
            session,
            audience=Audience.MEMBERS,
            created_at=hub.clock() + 1,
            closed_before=FIRST + months,
            rules_digest="r",
            policy_digest="p",
            summary={},
        )
        row = measure_rows(session, hub)[measure_id]
        save_cells(session, release_id, row.id, cells)
