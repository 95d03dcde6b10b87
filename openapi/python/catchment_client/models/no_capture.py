from typing import Literal

NoCapture = Literal[
    "declared of the whole clinic only",
    "no expected number declared",
    "no visit expected",
    "not published",
]

NO_CAPTURE_VALUES: set[NoCapture] = {
    "declared of the whole clinic only",
    "no expected number declared",
    "no visit expected",
    "not published",
}


def check_no_capture(value: str) -> NoCapture:
    if value in NO_CAPTURE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {NO_CAPTURE_VALUES!r}"
    )
