from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.ready_response_503_ready import ReadyResponse503Ready
from ...models.ready_response_ready import ReadyResponseReady
from ...types import Response


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/health/ready",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ReadyResponse503Ready | ReadyResponseReady | None:
    if response.status_code == 200:
        response_200 = ReadyResponseReady.from_dict(response.json())

        return response_200

    if response.status_code == 503:
        response_503 = ReadyResponse503Ready.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ReadyResponse503Ready | ReadyResponseReady]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[ReadyResponse503Ready | ReadyResponseReady]:
    """Ready

     Say whether the database answers, has the schema, and is counted in time.

    And whether the policy holds: after its last day nothing is stored.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ReadyResponse503Ready | ReadyResponseReady]
    """

    kwargs = _get_kwargs()

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
) -> ReadyResponse503Ready | ReadyResponseReady | None:
    """Ready

     Say whether the database answers, has the schema, and is counted in time.

    And whether the policy holds: after its last day nothing is stored.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ReadyResponse503Ready | ReadyResponseReady
    """

    return sync_detailed(
        client=client,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[ReadyResponse503Ready | ReadyResponseReady]:
    """Ready

     Say whether the database answers, has the schema, and is counted in time.

    And whether the policy holds: after its last day nothing is stored.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ReadyResponse503Ready | ReadyResponseReady]
    """

    kwargs = _get_kwargs()

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
) -> ReadyResponse503Ready | ReadyResponseReady | None:
    """Ready

     Say whether the database answers, has the schema, and is counted in time.

    And whether the policy holds: after its last day nothing is stored.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ReadyResponse503Ready | ReadyResponseReady
    """

    return (
        await asyncio_detailed(
            client=client,
        )
    ).parsed
