from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.annotation_answer import AnnotationAnswer
from ...models.problem import Problem
from ...models.withdraw_annotation_body import WithdrawAnnotationBody
from ...types import Response


def _get_kwargs(
    annotation_id: int,
    *,
    body: WithdrawAnnotationBody,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/annotations/{annotation_id}/withdraw".format(
            annotation_id=quote(str(annotation_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AnnotationAnswer | Problem:
    if response.status_code == 200:
        response_200 = AnnotationAnswer.from_dict(response.json())

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

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[AnnotationAnswer | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    annotation_id: int,
    *,
    client: AuthenticatedClient,
    body: WithdrawAnnotationBody,
) -> Response[AnnotationAnswer | Problem]:
    """Withdraw Annotation

     Take an annotation back; it stays in the audit, with who did so and why.

    Args:
        annotation_id (int):
        body (WithdrawAnnotationBody): Why something is taken back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AnnotationAnswer | Problem]
    """

    kwargs = _get_kwargs(
        annotation_id=annotation_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    annotation_id: int,
    *,
    client: AuthenticatedClient,
    body: WithdrawAnnotationBody,
) -> AnnotationAnswer | Problem | None:
    """Withdraw Annotation

     Take an annotation back; it stays in the audit, with who did so and why.

    Args:
        annotation_id (int):
        body (WithdrawAnnotationBody): Why something is taken back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AnnotationAnswer | Problem
    """

    return sync_detailed(
        annotation_id=annotation_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    annotation_id: int,
    *,
    client: AuthenticatedClient,
    body: WithdrawAnnotationBody,
) -> Response[AnnotationAnswer | Problem]:
    """Withdraw Annotation

     Take an annotation back; it stays in the audit, with who did so and why.

    Args:
        annotation_id (int):
        body (WithdrawAnnotationBody): Why something is taken back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AnnotationAnswer | Problem]
    """

    kwargs = _get_kwargs(
        annotation_id=annotation_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    annotation_id: int,
    *,
    client: AuthenticatedClient,
    body: WithdrawAnnotationBody,
) -> AnnotationAnswer | Problem | None:
    """Withdraw Annotation

     Take an annotation back; it stays in the audit, with who did so and why.

    Args:
        annotation_id (int):
        body (WithdrawAnnotationBody): Why something is taken back.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AnnotationAnswer | Problem
    """

    return (
        await asyncio_detailed(
            annotation_id=annotation_id,
            client=client,
            body=body,
        )
    ).parsed
