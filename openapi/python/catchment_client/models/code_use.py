from typing import Literal

CodeUse = Literal["not-used", "unmapped", "used"]

CODE_USE_VALUES: set[CodeUse] = {
    "not-used",
    "unmapped",
    "used",
}


def check_code_use(value: str) -> CodeUse:
    if value in CODE_USE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CODE_USE_VALUES!r}")
