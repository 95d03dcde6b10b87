from typing import Literal

AddAnnotationNewAnnotationQuestionKind = Literal[
    "baseline", "exclusion", "shift", "test-of-change"
]

ADD_ANNOTATION_NEW_ANNOTATION_QUESTION_KIND_VALUES: set[
    AddAnnotationNewAnnotationQuestionKind
] = {
    "baseline",
    "exclusion",
    "shift",
    "test-of-change",
}


def check_add_annotation_new_annotation_question_kind(
    value: str,
) -> AddAnnotationNewAnnotationQuestionKind:
    if value in ADD_ANNOTATION_NEW_ANNOTATION_QUESTION_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ADD_ANNOTATION_NEW_ANNOTATION_QUESTION_KIND_VALUES!r}"
    )
