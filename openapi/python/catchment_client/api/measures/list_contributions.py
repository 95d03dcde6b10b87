from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.contributions_answer import ContributionsAnswer
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    measure_id: str,
    *,
    month: None | str | Unset = UNSET,
    after: int | Unset = 0,
    limit: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_month: None | str | Unset
    if isinstance(month, Unset):
        json_month = UNSET
    else:
        json_month = month
    params["month"] = json_month

    params["after"] = after

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/measures/{measure_id}/contributions".format(
            measure_id=quote(str(measure_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ContributionsAnswer | Problem:
    if response.status_code == 200:
        response_200 = ContributionsAnswer.from_dict(response.json())

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
) -> Response[ContributionsAnswer | Problem]:
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
    month: None | str | Unset = UNSET,
    after: int | Unset = 0,
    limit: int | Unset = 100,
) -> Response[ContributionsAnswer | Problem]:
    """List Contributions

     List the clinic's own patients that a measure counts, and where each stands.

    Args:
        measure_id (str):
        month (None | str | Unset): Such as 2024-03.
        after (int | Unset): What `next` of a page said. Default: 0.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ContributionsAnswer | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
        month=month,
        after=after,
        limit=limit,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    month: None | str | Unset = UNSET,
    after: int | Unset = 0,
    limit: int | Unset = 100,
) -> ContributionsAnswer | Problem | None:
    """List Contributions

     List the clinic's own patients that a measure counts, and where each stands.

    Args:
        measure_id (str):
        month (None | str | Unset): Such as 2024-03.
        after (int | Unset): What `next` of a page said. Default: 0.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ContributionsAnswer | Problem
    """

    return sync_detailed(
        measure_id=measure_id,
        client=client,
        month=month,
        after=after,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    month: None | str | Unset = UNSET,
    after: int | Unset = 0,
    limit: int | Unset = 100,
) -> Response[ContributionsAnswer | Problem]:
    """List Contributions

     List the clinic's own patients that a measure counts, and where each stands.

    Args:
        measure_id (str):
        month (None | str | Unset): Such as 2024-03.
        after (int | Unset): What `next` of a page said. Default: 0.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ContributionsAnswer | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
        month=month,
        after=after,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    month: None | str | Unset = UNSET,
    after: int | Unset = 0,
    limit: int | Unset = 100,
) -> ContributionsAnswer | Problem | None:
    """List Contributions

     List the clinic's own patients that a measure counts, and where each stands.

    Args:
        measure_id (str):
        month (None | str | Unset): Such as 2024-03.
        after (int | Unset): What `next` of a page said. Default: 0.
        limit (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ContributionsAnswer | Problem
    """

    return (
        await asyncio_detailed(
            measure_id=measure_id,
            client=client,
            month=month,
            after=after,
            limit=limit,
        )
    ).parsed
