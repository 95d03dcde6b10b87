from typing import Literal

EventPointReasonType0 = Literal[
    "event-without-day", "exposure-missing", "exposure-without-day"
]

EVENT_POINT_REASON_TYPE_0_VALUES: set[EventPointReasonType0] = {
    "event-without-day",
    "exposure-missing",
    "exposure-without-day",
}


def check_event_point_reason_type_0(value: str) -> EventPointReasonType0:
    if value in EVENT_POINT_REASON_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EVENT_POINT_REASON_TYPE_0_VALUES!r}"
    )
