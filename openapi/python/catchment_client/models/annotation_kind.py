from typing import Literal

AnnotationKind = Literal["baseline", "exclusion", "shift", "test-of-change"]

ANNOTATION_KIND_VALUES: set[AnnotationKind] = {
    "baseline",
    "exclusion",
    "shift",
    "test-of-change",
}


def check_annotation_kind(value: str) -> AnnotationKind:
    if value in ANNOTATION_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ANNOTATION_KIND_VALUES!r}"
    )
