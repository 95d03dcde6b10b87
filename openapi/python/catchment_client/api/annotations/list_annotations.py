from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.annotation_kind import AnnotationKind
from ...models.annotations_answer import AnnotationsAnswer
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    measure: None | str | Unset = UNSET,
    kind: AnnotationKind | None | Unset = UNSET,
    include_withdrawn: bool | Unset = False,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_clinic: None | str | Unset
    if isinstance(clinic, Unset):
        json_clinic = UNSET
    else:
        json_clinic = clinic
    params["clinic"] = json_clinic

    json_cohort: None | str | Unset
    if isinstance(cohort, Unset):
        json_cohort = UNSET
    else:
        json_cohort = cohort
    params["cohort"] = json_cohort

    json_measure: None | str | Unset
    if isinstance(measure, Unset):
        json_measure = UNSET
    else:
        json_measure = measure
    params["measure"] = json_measure

    json_kind: None | str | Unset
    if isinstance(kind, Unset):
        json_kind = UNSET
    elif isinstance(kind, str):
        json_kind = kind
    else:
        json_kind = kind
    params["kind"] = json_kind

    params["include_withdrawn"] = include_withdrawn

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/annotations",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AnnotationsAnswer | Problem:
    if response.status_code == 200:
        response_200 = AnnotationsAnswer.from_dict(response.json())

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
) -> Response[AnnotationsAnswer | Problem]:
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
    cohort: None | str | Unset = UNSET,
    measure: None | str | Unset = UNSET,
    kind: AnnotationKind | None | Unset = UNSET,
    include_withdrawn: bool | Unset = False,
) -> Response[AnnotationsAnswer | Problem]:
    """List Annotations

     List what was said and decided about charts, as far as the caller sees them.

    Args:
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A cohort's code.
        measure (None | str | Unset): A measure's id.
        kind (AnnotationKind | None | Unset):
        include_withdrawn (bool | Unset): Also what was taken back, and by whom. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AnnotationsAnswer | Problem]
    """

    kwargs = _get_kwargs(
        clinic=clinic,
        cohort=cohort,
        measure=measure,
        kind=kind,
        include_withdrawn=include_withdrawn,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    measure: None | str | Unset = UNSET,
    kind: AnnotationKind | None | Unset = UNSET,
    include_withdrawn: bool | Unset = False,
) -> AnnotationsAnswer | Problem | None:
    """List Annotations

     List what was said and decided about charts, as far as the caller sees them.

    Args:
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A cohort's code.
        measure (None | str | Unset): A measure's id.
        kind (AnnotationKind | None | Unset):
        include_withdrawn (bool | Unset): Also what was taken back, and by whom. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AnnotationsAnswer | Problem
    """

    return sync_detailed(
        client=client,
        clinic=clinic,
        cohort=cohort,
        measure=measure,
        kind=kind,
        include_withdrawn=include_withdrawn,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    measure: None | str | Unset = UNSET,
    kind: AnnotationKind | None | Unset = UNSET,
    include_withdrawn: bool | Unset = False,
) -> Response[AnnotationsAnswer | Problem]:
    """List Annotations

     List what was said and decided about charts, as far as the caller sees them.

    Args:
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A cohort's code.
        measure (None | str | Unset): A measure's id.
        kind (AnnotationKind | None | Unset):
        include_withdrawn (bool | Unset): Also what was taken back, and by whom. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AnnotationsAnswer | Problem]
    """

    kwargs = _get_kwargs(
        clinic=clinic,
        cohort=cohort,
        measure=measure,
        kind=kind,
        include_withdrawn=include_withdrawn,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    measure: None | str | Unset = UNSET,
    kind: AnnotationKind | None | Unset = UNSET,
    include_withdrawn: bool | Unset = False,
) -> AnnotationsAnswer | Problem | None:
    """List Annotations

     List what was said and decided about charts, as far as the caller sees them.

    Args:
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A cohort's code.
        measure (None | str | Unset): A measure's id.
        kind (AnnotationKind | None | Unset):
        include_withdrawn (bool | Unset): Also what was taken back, and by whom. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AnnotationsAnswer | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            clinic=clinic,
            cohort=cohort,
            measure=measure,
            kind=kind,
            include_withdrawn=include_withdrawn,
        )
    ).parsed
