"""The policy in force: until when it holds, and what may be asked of what it keeps."""

from datetime import date

from app.domain.calendar import MONTHS_A_YEAR, date_of_day
from app.domain.counts import Interval
from app.domain.errors import IntakeStoppedError, NotAnswerableError
from app.domain.records import Precision
from app.services.hub import Hub
from app.services.releases import today_number

WARNED_DAYS = 30
"""So long before a policy's last day its operator is warned."""


def days_left(hub: Hub) -> int | None:
    """Return for how many days after today records may be stored; None: for ever."""
    last_day = hub.policy.terms.last_day
    if last_day is None:
        return None
    return (last_day - date_of_day(today_number(hub))).days


def check_in_force(hub: Hub) -> None:
    """
    Refuse to store anything after the policy's last day.

    Nothing is lost: who sends may send the same again once the policy is renewed.
    """
    left = days_left(hub)
    if left is not None and left < 0:
        raise IntakeStoppedError(ended(hub))


def ended(hub: Hub) -> str:
    """Return that nothing is stored since when, and what is to be done about it."""
    return (
        f"The policy {hub.policy.terms.id} expired on {_last_day(hub)}: "
        "nothing is stored until it is renewed, and nothing is lost by sending it then"
    )


def soon_to_end(hub: Hub) -> str:
    """Return when nothing will be stored any more."""
    return (
        f"The policy {hub.policy.terms.id} expires on {_last_day(hub)}; "
        "after that day nothing is stored until it is renewed"
    )


def _last_day(hub: Hub) -> date | None:
    return hub.policy.terms.last_day


def widths(hub: Hub) -> tuple[Interval, ...]:
    """Return the widths that numbers are told at, the finest first."""
    finest = hub.policy.keeping.finest
    return tuple(each for each in Interval if each.months >= finest.months)


def check_width(hub: Hub, interval: Interval) -> None:
    """Refuse an interval that is shorter than what the policy keeps of dates."""
    if interval not in widths(hub):
        msg = (
            f"The policy {hub.policy.terms.id} keeps years only: "
            "ask for interval=year, without strata"
        )
        raise NotAnswerableError(msg, expression="interval")


def whole_unit(hub: Hub, month: int | None, *, this_month: int) -> int:
    """
    Return the month at whose end somebody's standing is asked for.

    Without one it is this month; of years the December of a year that is over.

    Raises:
        NotAnswerableError: years are kept, and it is within one.
    """
    if hub.policy.keeping.dates is not Precision.YEAR:
        return this_month if month is None else month
    last_december = this_month - this_month % MONTHS_A_YEAR - 1
    asked = last_december if month is None else month
    if asked > last_december or (asked + 1) % MONTHS_A_YEAR:
        msg = (
            f"The policy {hub.policy.terms.id} keeps years only: "
            "ask about the December of a year that is over"
        )
        raise NotAnswerableError(msg, expression="asOf")
    return asked


def check_days(hub: Hub, what: str) -> None:
    """Refuse *what*, which days are needed for, where they are not kept."""
    if hub.policy.keeping.dates is not Precision.DAY:
        unit = hub.policy.keeping.dates
        msg = f"{what} needs days, and the policy {hub.policy.terms.id} keeps {unit}s"
        raise NotAnswerableError(msg)
