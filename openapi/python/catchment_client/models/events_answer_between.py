from typing import Literal

EventsAnswerBetween = Literal["days", "opportunities"]

EVENTS_ANSWER_BETWEEN_VALUES: set[EventsAnswerBetween] = {
    "days",
    "opportunities",
}


def check_events_answer_between(value: str) -> EventsAnswerBetween:
    if value in EVENTS_ANSWER_BETWEEN_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EVENTS_ANSWER_BETWEEN_VALUES!r}"
    )
