from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.release_answer import ReleaseAnswer
from ...types import Response


def _get_kwargs(
    release_id: int,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/releases/{release_id}".format(
            release_id=quote(str(release_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | ReleaseAnswer:
    if response.status_code == 200:
        response_200 = ReleaseAnswer.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Problem | ReleaseAnswer]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    release_id: int,
    *,
    client: AuthenticatedClient,
) -> Response[Problem | ReleaseAnswer]:
    """Get Release

     Return one release: when, under which policy, and how much of it is shown.

    Args:
        release_id (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | ReleaseAnswer]
    """

    kwargs = _get_kwargs(
        release_id=release_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    release_id: int,
    *,
    client: AuthenticatedClient,
) -> Problem | ReleaseAnswer | None:
    """Get Release

     Return one release: when, under which policy, and how much of it is shown.

    Args:
        release_id (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | ReleaseAnswer
    """

    return sync_detailed(
        release_id=release_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    release_id: int,
    *,
    client: AuthenticatedClient,
) -> Response[Problem | ReleaseAnswer]:
    """Get Release

     Return one release: when, under which policy, and how much of it is shown.

    Args:
        release_id (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | ReleaseAnswer]
    """

    kwargs = _get_kwargs(
        release_id=release_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    release_id: int,
    *,
    client: AuthenticatedClient,
) -> Problem | ReleaseAnswer | None:
    """Get Release

     Return one release: when, under which policy, and how much of it is shown.

    Args:
        release_id (int):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | ReleaseAnswer
    """

    return (
        await asyncio_detailed(
            release_id=release_id,
            client=client,
        )
    ).parsed
