from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.quality_answer import QualityAnswer
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    clinic: None | str | Unset = UNSET,
    from_: None | str | Unset = UNSET,
    to: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_clinic: None | str | Unset
    if isinstance(clinic, Unset):
        json_clinic = UNSET
    else:
        json_clinic = clinic
    params["clinic"] = json_clinic

    json_from_: None | str | Unset
    if isinstance(from_, Unset):
        json_from_ = UNSET
    else:
        json_from_ = from_
    params["from"] = json_from_

    json_to: None | str | Unset
    if isinstance(to, Unset):
        json_to = UNSET
    else:
        json_to = to
    params["to"] = json_to

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/quality",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | QualityAnswer:
    if response.status_code == 200:
        response_200 = QualityAnswer.from_dict(response.json())

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

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Problem | QualityAnswer]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    from_: None | str | Unset = UNSET,
    to: None | str | Unset = UNSET,
) -> Response[Problem | QualityAnswer]:
    """Get Quality

     Return what is wrong with the data of the caller's clinic, beside the network.

    Args:
        clinic (None | str | Unset): The caller's own clinic; no other is shown.
        from_ (None | str | Unset): Its first month: 2026-01.
        to (None | str | Unset): Its last month, inclusive.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | QualityAnswer]
    """

    kwargs = _get_kwargs(
        clinic=clinic,
        from_=from_,
        to=to,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    from_: None | str | Unset = UNSET,
    to: None | str | Unset = UNSET,
) -> Problem | QualityAnswer | None:
    """Get Quality

     Return what is wrong with the data of the caller's clinic, beside the network.

    Args:
        clinic (None | str | Unset): The caller's own clinic; no other is shown.
        from_ (None | str | Unset): Its first month: 2026-01.
        to (None | str | Unset): Its last month, inclusive.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | QualityAnswer
    """

    return sync_detailed(
        client=client,
        clinic=clinic,
        from_=from_,
        to=to,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    from_: None | str | Unset = UNSET,
    to: None | str | Unset = UNSET,
) -> Response[Problem | QualityAnswer]:
    """Get Quality

     Return what is wrong with the data of the caller's clinic, beside the network.

    Args:
        clinic (None | str | Unset): The caller's own clinic; no other is shown.
        from_ (None | str | Unset): Its first month: 2026-01.
        to (None | str | Unset): Its last month, inclusive.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | QualityAnswer]
    """

    kwargs = _get_kwargs(
        clinic=clinic,
        from_=from_,
        to=to,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    from_: None | str | Unset = UNSET,
    to: None | str | Unset = UNSET,
) -> Problem | QualityAnswer | None:
    """Get Quality

     Return what is wrong with the data of the caller's clinic, beside the network.

    Args:
        clinic (None | str | Unset): The caller's own clinic; no other is shown.
        from_ (None | str | Unset): Its first month: 2026-01.
        to (None | str | Unset): Its last month, inclusive.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | QualityAnswer
    """

    return (
        await asyncio_detailed(
            client=client,
            clinic=clinic,
            from_=from_,
            to=to,
        )
    ).parsed
