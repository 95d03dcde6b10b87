from typing import Literal

AddAnnotationBodyKind = Literal["baseline", "exclusion", "shift", "test-of-change"]

ADD_ANNOTATION_BODY_KIND_VALUES: set[AddAnnotationBodyKind] = {
    "baseline",
    "exclusion",
    "shift",
    "test-of-change",
}


def check_add_annotation_body_kind(value: str) -> AddAnnotationBodyKind:
    if value in ADD_ANNOTATION_BODY_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ADD_ANNOTATION_BODY_KIND_VALUES!r}"
    )
