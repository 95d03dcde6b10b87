from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.register_client_client_metadata import RegisterClientClientMetadata
from ...models.registration_answer import RegistrationAnswer
from ...models.token_problem import TokenProblem
from ...types import Response


def _get_kwargs(
    *,
    body: RegisterClientClientMetadata,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/oauth/register",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> RegistrationAnswer | TokenProblem | None:
    if response.status_code == 201:
        response_201 = RegistrationAnswer.from_dict(response.json())

        return response_201

    if response.status_code == 400:
        response_400 = TokenProblem.from_dict(response.json())

        return response_400

    if response.status_code == 413:
        response_413 = TokenProblem.from_dict(response.json())

        return response_413

    if response.status_code == 429:
        response_429 = TokenProblem.from_dict(response.json())

        return response_429

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[RegistrationAnswer | TokenProblem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: RegisterClientClientMetadata,
) -> Response[RegistrationAnswer | TokenProblem]:
    """Register Client

     Register a client, which an administrator then approves or not (RFC 7591).

    Args:
        body (RegisterClientClientMetadata):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[RegistrationAnswer | TokenProblem]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: RegisterClientClientMetadata,
) -> RegistrationAnswer | TokenProblem | None:
    """Register Client

     Register a client, which an administrator then approves or not (RFC 7591).

    Args:
        body (RegisterClientClientMetadata):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        RegistrationAnswer | TokenProblem
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: RegisterClientClientMetadata,
) -> Response[RegistrationAnswer | TokenProblem]:
    """Register Client

     Register a client, which an administrator then approves or not (RFC 7591).

    Args:
        body (RegisterClientClientMetadata):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[RegistrationAnswer | TokenProblem]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: RegisterClientClientMetadata,
) -> RegistrationAnswer | TokenProblem | None:
    """Register Client

     Register a client, which an administrator then approves or not (RFC 7591).

    Args:
        body (RegisterClientClientMetadata):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        RegistrationAnswer | TokenProblem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
