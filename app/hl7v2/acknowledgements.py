"""
What a sender is answered: ACK, with what was refused in ERR segments.

Source: HL7 v2.5.1, chapter 2.9.2 (original mode), 2.15.5 (ERR), 2.15.8 (MSA), tables
0008 and 0357.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from app.domain.errors import IssueType
from app.hl7v2.problems import Problem, Severity

MOST_PROBLEMS = 100
"""So many are told in one answer; more would say no more."""
CONDITIONS = {
    IssueType.STRUCTURE: ("100", "Segment sequence error"),
    IssueType.REQUIRED: ("101", "Required field missing"),
    IssueType.VALUE: ("102", "Data type error"),
    IssueType.CODE_INVALID: ("103", "Table value not found"),
    IssueType.NOT_SUPPORTED: ("200", "Unsupported message type"),
}
"""HL7 table 0357 by what is wrong; all else is for the application to say."""
OTHERWISE = ("207", "Application internal error")
BY_PLACE = {
    "MSH-9.2": ("201", "Unsupported event code"),
    "MSH-11": ("202", "Unsupported processing id"),
}
IN_UTF_8 = "||||||UNICODE UTF-8"
"""MSH-13 to MSH-18."""
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\.(\d+))?)?")
_ESCAPES = str.maketrans(
    {sign: f"\\{letter}\\" for letter, sign in zip("FSTRE", "|^&~\\", strict=True)}
    | {"\r": " ", "\n": " "}
)


class Acknowledgement(StrEnum):
    """HL7 table 0008: accepted; an error in the message; try again later."""

    ACCEPT = "AA"
    ERROR = "AE"
    REJECT = "AR"


def acknowledge(
    code: Acknowledgement,
    *,
    control_id: str,
    own_id: str,
    now: int,
    problems: Sequence[Problem] = (),
) -> bytes:
    """
    Return the answer to a message.

    Args:
        code: What became of it.
        control_id: Its MSH-10, the only thing of it that is said again.
        own_id: By which this answer is known.
        now: The time, in epoch milliseconds.
        problems: What is wrong with it.
    """
    at = datetime.fromtimestamp(now // 1000, UTC)
    stamp = f"{at:%Y%m%d%H%M%S}+0000"
    lines = [
        rf"MSH|^~\&|CATCHMENT||||{stamp}||ACK^R01^ACK|{own_id}|P|2.5.1" + IN_UTF_8,
        f"MSA|{code}|{_escaped(control_id)}",
        *(_error(problem) for problem in problems[:MOST_PROBLEMS]),
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def _error(problem: Problem) -> str:
    """Return an ERR: where, which condition, how bad, and the same in words."""
    match = _PLACE.fullmatch(problem.place)
    where = ""
    if match is not None:
        segment, number, field, component = match.groups()
        parts = (segment, number or "1", field or "", "", component or "")
        where = "^".join(parts).rstrip("^")
    condition, text = _condition(problem)
    severity = "E" if problem.severity is Severity.ERROR else "W"
    said = _escaped(problem.message)
    return f"ERR||{where}|{condition}^{text}^HL70357|{severity}||||{said}"


def _condition(problem: Problem) -> tuple[str, str]:
    known = CONDITIONS.get(problem.issue_type, OTHERWISE)
    if problem.issue_type is IssueType.NOT_SUPPORTED:
        is_of_type = problem.place.startswith("MSH-9")
        return BY_PLACE.get(problem.place, known if is_of_type else OTHERWISE)
    return known


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
