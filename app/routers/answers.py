"""What all answers of the REST interface have in common."""

from datetime import UTC, datetime

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
