"""A token for programs that cannot wait as the tests' own clients do."""

import asyncio

import httpx

from app.services.hub import Hub
from tests.hubs import Network


def new_token(hub: Hub, client_id: str) -> str:
    """Return the token, good for five minutes, of a new clinic's client."""

    async def enrolled() -> str:
        async with httpx.AsyncClient(base_url=hub.base_url) as http:
            return await Network(hub, http).ehr(client_id).fresh_token()

    return asyncio.run(enrolled())
