"""A partner's app: reads charts through the client generated from the OpenAPI."""

from catchment_client import AuthenticatedClient
from catchment_client.api.measures import get_chart
from catchment_client.models import ChartAnswer, Problem


class ChartRefusedError(Exception):
    """The hub did not give the chart; the message is the hub's own reason."""


def read_chart(
    base_url: str, token: str, measure_id: str, *, clinic: str | None = None
) -> ChartAnswer:
    """
    Return a measure's control chart as *token* may see it; no clinic: the network's.

    Raises:
        ChartRefusedError: nothing is released, or the token does not cover it.
    """
    hub = AuthenticatedClient(base_url, token, httpx_args={"trust_env": False})
    with hub:
        answer = get_chart.sync(measure_id, client=hub, clinic=clinic)
    if not isinstance(answer, ChartAnswer):
        reason = answer.detail if isinstance(answer, Problem) else "no answer"
        raise ChartRefusedError(reason)
    return answer
