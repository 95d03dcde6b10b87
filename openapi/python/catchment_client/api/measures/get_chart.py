import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.chart_answer import ChartAnswer
from ...models.chart_kind import ChartKind
from ...models.chart_view import ChartView
from ...models.interval import Interval
from ...models.problem import Problem
from ...models.rule_set import RuleSet
from ...types import UNSET, Response, Unset


def _get_kwargs(
    measure_id: str,
    *,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    stratum: None | str | Unset = UNSET,
    interval: Interval | None | Unset = UNSET,
    from_: datetime.date | None | Unset = UNSET,
    to: datetime.date | None | Unset = UNSET,
    rules: RuleSet | Unset = UNSET,
    chart: ChartKind | None | Unset = UNSET,
    view: ChartView | Unset = UNSET,
    screened: bool | Unset = False,
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

    json_stratum: None | str | Unset
    if isinstance(stratum, Unset):
        json_stratum = UNSET
    else:
        json_stratum = stratum
    params["stratum"] = json_stratum

    json_interval: None | str | Unset
    if isinstance(interval, Unset):
        json_interval = UNSET
    elif isinstance(interval, str):
        json_interval = interval
    else:
        json_interval = interval
    params["interval"] = json_interval

    json_from_: None | str | Unset
    if isinstance(from_, Unset):
        json_from_ = UNSET
    elif isinstance(from_, datetime.date):
        json_from_ = from_.isoformat()
    else:
        json_from_ = from_
    params["from"] = json_from_

    json_to: None | str | Unset
    if isinstance(to, Unset):
        json_to = UNSET
    elif isinstance(to, datetime.date):
        json_to = to.isoformat()
    else:
        json_to = to
    params["to"] = json_to

    json_rules: str | Unset = UNSET
    if not isinstance(rules, Unset):
        json_rules = rules

    params["rules"] = json_rules

    json_chart: None | str | Unset
    if isinstance(chart, Unset):
        json_chart = UNSET
    elif isinstance(chart, str):
        json_chart = chart
    else:
        json_chart = chart
    params["chart"] = json_chart

    json_view: str | Unset = UNSET
    if not isinstance(view, Unset):
        json_view = view

    params["view"] = json_view

    params["screened"] = screened

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/measures/{measure_id}/chart".format(
            measure_id=quote(str(measure_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ChartAnswer | Problem:
    if response.status_code == 200:
        response_200 = ChartAnswer.from_dict(response.json())

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
) -> Response[ChartAnswer | Problem]:
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
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    stratum: None | str | Unset = UNSET,
    interval: Interval | None | Unset = UNSET,
    from_: datetime.date | None | Unset = UNSET,
    to: datetime.date | None | Unset = UNSET,
    rules: RuleSet | Unset = UNSET,
    chart: ChartKind | None | Unset = UNSET,
    view: ChartView | Unset = UNSET,
    screened: bool | Unset = False,
) -> Response[ChartAnswer | Problem]:
    """Get Chart

     Return the control chart: every point with its lines and signals.

    Args:
        measure_id (str):
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A named cohort.
        stratum (None | str | Unset): Such as age:6-12.
        interval (Interval | None | Unset):
        from_ (datetime.date | None | Unset):
        to (datetime.date | None | Unset): Inclusive.
        rules (RuleSet | Unset): The rule sets, by the names a caller may choose.
        chart (ChartKind | None | Unset): A chart that fits the measure; else the hub chooses.
        view (ChartView | Unset): The chart as it was first drawn, or with what a coordinator
            decided about it.
        screened (bool | Unset): Of xmr and mr: leave wild moving ranges out. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChartAnswer | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
        clinic=clinic,
        cohort=cohort,
        stratum=stratum,
        interval=interval,
        from_=from_,
        to=to,
        rules=rules,
        chart=chart,
        view=view,
        screened=screened,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    stratum: None | str | Unset = UNSET,
    interval: Interval | None | Unset = UNSET,
    from_: datetime.date | None | Unset = UNSET,
    to: datetime.date | None | Unset = UNSET,
    rules: RuleSet | Unset = UNSET,
    chart: ChartKind | None | Unset = UNSET,
    view: ChartView | Unset = UNSET,
    screened: bool | Unset = False,
) -> ChartAnswer | Problem | None:
    """Get Chart

     Return the control chart: every point with its lines and signals.

    Args:
        measure_id (str):
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A named cohort.
        stratum (None | str | Unset): Such as age:6-12.
        interval (Interval | None | Unset):
        from_ (datetime.date | None | Unset):
        to (datetime.date | None | Unset): Inclusive.
        rules (RuleSet | Unset): The rule sets, by the names a caller may choose.
        chart (ChartKind | None | Unset): A chart that fits the measure; else the hub chooses.
        view (ChartView | Unset): The chart as it was first drawn, or with what a coordinator
            decided about it.
        screened (bool | Unset): Of xmr and mr: leave wild moving ranges out. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChartAnswer | Problem
    """

    return sync_detailed(
        measure_id=measure_id,
        client=client,
        clinic=clinic,
        cohort=cohort,
        stratum=stratum,
        interval=interval,
        from_=from_,
        to=to,
        rules=rules,
        chart=chart,
        view=view,
        screened=screened,
    ).parsed


async def asyncio_detailed(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    stratum: None | str | Unset = UNSET,
    interval: Interval | None | Unset = UNSET,
    from_: datetime.date | None | Unset = UNSET,
    to: datetime.date | None | Unset = UNSET,
    rules: RuleSet | Unset = UNSET,
    chart: ChartKind | None | Unset = UNSET,
    view: ChartView | Unset = UNSET,
    screened: bool | Unset = False,
) -> Response[ChartAnswer | Problem]:
    """Get Chart

     Return the control chart: every point with its lines and signals.

    Args:
        measure_id (str):
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A named cohort.
        stratum (None | str | Unset): Such as age:6-12.
        interval (Interval | None | Unset):
        from_ (datetime.date | None | Unset):
        to (datetime.date | None | Unset): Inclusive.
        rules (RuleSet | Unset): The rule sets, by the names a caller may choose.
        chart (ChartKind | None | Unset): A chart that fits the measure; else the hub chooses.
        view (ChartView | Unset): The chart as it was first drawn, or with what a coordinator
            decided about it.
        screened (bool | Unset): Of xmr and mr: leave wild moving ranges out. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChartAnswer | Problem]
    """

    kwargs = _get_kwargs(
        measure_id=measure_id,
        clinic=clinic,
        cohort=cohort,
        stratum=stratum,
        interval=interval,
        from_=from_,
        to=to,
        rules=rules,
        chart=chart,
        view=view,
        screened=screened,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    measure_id: str,
    *,
    client: AuthenticatedClient,
    clinic: None | str | Unset = UNSET,
    cohort: None | str | Unset = UNSET,
    stratum: None | str | Unset = UNSET,
    interval: Interval | None | Unset = UNSET,
    from_: datetime.date | None | Unset = UNSET,
    to: datetime.date | None | Unset = UNSET,
    rules: RuleSet | Unset = UNSET,
    chart: ChartKind | None | Unset = UNSET,
    view: ChartView | Unset = UNSET,
    screened: bool | Unset = False,
) -> ChartAnswer | Problem | None:
    """Get Chart

     Return the control chart: every point with its lines and signals.

    Args:
        measure_id (str):
        clinic (None | str | Unset): A clinic's code.
        cohort (None | str | Unset): A named cohort.
        stratum (None | str | Unset): Such as age:6-12.
        interval (Interval | None | Unset):
        from_ (datetime.date | None | Unset):
        to (datetime.date | None | Unset): Inclusive.
        rules (RuleSet | Unset): The rule sets, by the names a caller may choose.
        chart (ChartKind | None | Unset): A chart that fits the measure; else the hub chooses.
        view (ChartView | Unset): The chart as it was first drawn, or with what a coordinator
            decided about it.
        screened (bool | Unset): Of xmr and mr: leave wild moving ranges out. Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChartAnswer | Problem
    """

    return (
        await asyncio_detailed(
            measure_id=measure_id,
            client=client,
            clinic=clinic,
            cohort=cohort,
            stratum=stratum,
            interval=interval,
            from_=from_,
            to=to,
            rules=rules,
            chart=chart,
            view=view,
            screened=screened,
        )
    ).parsed
