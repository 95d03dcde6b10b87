"""What all answers of the REST interface have in common."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """An error as RFC 9457 has it; ``element`` is what is at fault, not its value."""

    type: str
    title: str
    status: int
    detail: str
    element: str | None = None


def moment(milliseconds: int) -> datetime:
    """Return the moment of epoch *milliseconds*, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def reply(answer: Answer, *, status: int) -> Response:
    """Return an answer of a route that commits before it answers."""
    return JSONResponse(answer.model_dump(mode="json"), status_code=status)


def csv_table(
    names: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return *rows* as CSV, their columns in the order of *names*."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names)
    writer.writeheader()
    writer.writerows(rows)
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
