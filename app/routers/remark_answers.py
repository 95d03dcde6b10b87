"""Why a chart or comparison shows less than it might, as answers."""

from collections.abc import Sequence

from app.charts.remarks import Remark
from app.routers.answers import Answer


class RemarkAnswer(Answer):
    """Why the chart shows less than it might."""

    code: str
    text: str


def remark_answers(remarks: Sequence[Remark]) -> list[RemarkAnswer]:
    """Return remarks in their order."""
    return [RemarkAnswer(code=each.code, text=each.text) for each in remarks]
