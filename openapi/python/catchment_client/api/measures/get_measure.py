from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.measure_definition import MeasureDefinition
from ...models.problem import Problem
from ...types import Response


def _get_kwargs(
    measure_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/measures/{measure_id}".format(
            measure_id=quote(str(measure_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> MeasureDefinition | Problem:
    if response.status_code == 200:
        response_200 = MeasureDefinition.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[MeasureDefinition | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    measure_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[MeasureDefinition | Problem]:
    """Get Measure

     Return a measure's definition, in words and as data.

    Args:
        measure_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MeasureDefinition | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    measure_id: str,
    *,
    client: AuthenticatedClient,
) -> MeasureDefinition | Problem | None:
    """Get Measure

     Return a measure's definition, in words and as data.

    Args:
        measure_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MeasureDefinition | Problem
    """

    return sync_detailed(
        measure_id=measure_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    measure_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[MeasureDefinition | Problem]:
    """Get Measure

     Return a measure's definition, in words and as data.

    Args:
        measure_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MeasureDefinition | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    measure_id: str,
    *,
    client: AuthenticatedClient,
) -> MeasureDefinition | Problem | None:
    """Get Measure

     Return a measure's definition, in words and as data.

    Args:
        measure_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MeasureDefinition | Problem
    """

    return (
        await asyncio_detailed(
            measure_id=measure_id,
            client=client,
        )
    ).parsed
