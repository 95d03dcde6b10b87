from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.estimate_answer import EstimateAnswer
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    project_id: str,
    *,
    measure: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_measure: None | str | Unset
    if isinstance(measure, Unset):
        json_measure = UNSET
    else:
        json_measure = measure
    params["measure"] = json_measure

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/projects/{project_id}/estimate".format(
            project_id=quote(str(project_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EstimateAnswer | Problem:
    if response.status_code == 200:
        response_200 = EstimateAnswer.from_dict(response.json())

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
) -> Response[EstimateAnswer | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    project_id: str,
    *,
    client: AuthenticatedClient,
    measure: None | str | Unset = UNSET,
) -> Response[EstimateAnswer | Problem]:
    """Get Estimate

     Return how much a measure changed with a project, from released counts.

    Args:
        project_id (str):
        measure (None | str | Unset): One of the project's; none: its first.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EstimateAnswer | Problem]
    """

    kwargs = _get_kwargs(
        project_id=project_id,
        measure=measure,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    project_id: str,
    *,
    client: AuthenticatedClient,
    measure: None | str | Unset = UNSET,
) -> EstimateAnswer | Problem | None:
    """Get Estimate

     Return how much a measure changed with a project, from released counts.

    Args:
        project_id (str):
        measure (None | str | Unset): One of the project's; none: its first.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EstimateAnswer | Problem
    """

    return sync_detailed(
        project_id=project_id,
        client=client,
        measure=measure,
    ).parsed


async def asyncio_detailed(
    project_id: str,
    *,
    client: AuthenticatedClient,
    measure: None | str | Unset = UNSET,
) -> Response[EstimateAnswer | Problem]:
    """Get Estimate

     Return how much a measure changed with a project, from released counts.

    Args:
        project_id (str):
        measure (None | str | Unset): One of the project's; none: its first.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EstimateAnswer | Problem]
    """

    kwargs = _get_kwargs(
        project_id=project_id,
        measure=measure,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    project_id: str,
    *,
    client: AuthenticatedClient,
    measure: None | str | Unset = UNSET,
) -> EstimateAnswer | Problem | None:
    """Get Estimate

     Return how much a measure changed with a project, from released counts.

    Args:
        project_id (str):
        measure (None | str | Unset): One of the project's; none: its first.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EstimateAnswer | Problem
    """

    return (
        await asyncio_detailed(
            project_id=project_id,
            client=client,
            measure=measure,
        )
    ).parsed
