from typing import Literal

AddProjectBodyPhaseQuestionKind = Literal["all", "incubator", "pilot"]

ADD_PROJECT_BODY_PHASE_QUESTION_KIND_VALUES: set[AddProjectBodyPhaseQuestionKind] = {
    "all",
    "incubator",
    "pilot",
}


def check_add_project_body_phase_question_kind(
    value: str,
) -> AddProjectBodyPhaseQuestionKind:
    if value in ADD_PROJECT_BODY_PHASE_QUESTION_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ADD_PROJECT_BODY_PHASE_QUESTION_KIND_VALUES!r}"
    )
