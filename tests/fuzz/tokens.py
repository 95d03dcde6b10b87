"""A token for programs that cannot wait as the tests' own clients do."""

import asyncio
import itertools

import httpx

from app.services.hub import Hub
from tests.hubs import Network

NUMBERS = itertools.count(1)
"""Makes each client a new one: fixtures of a module are set up twice at times."""


def new_token(hub: Hub, name: str) -> str:
    """Return the token, good for five minutes, of a new clinic's client."""
    client_id = f"{name}-{next(NUMBERS)}"

    async def enrolled() -> str:
        async with httpx.AsyncClient(base_url=hub.base_url) as http:
            return await Network(hub, http).ehr(client_id).fresh_token()

    return asyncio.run(enrolled())
