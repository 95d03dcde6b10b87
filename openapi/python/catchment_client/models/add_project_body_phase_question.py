from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.add_project_body_phase_question_kind import (
    AddProjectBodyPhaseQuestionKind,
    check_add_project_body_phase_question_kind,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="AddProjectBodyPhaseQuestion")


@_attrs_define
class AddProjectBodyPhaseQuestion:
    """Clinics that join a project together."""

    kind: AddProjectBodyPhaseQuestionKind
    month: str
    """ From which on, as 2026-03. """
    name: str
    clinics: list[str] | Unset = UNSET
    """ Codes; none for all: every active clinic that has not joined. """

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        month = self.month

        name = self.name

        clinics: list[str] | Unset = UNSET
        if not isinstance(self.clinics, Unset):
            clinics = self.clinics

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "kind": kind,
                "month": month,
                "name": name,
            }
        )
        if clinics is not UNSET:
            field_dict["clinics"] = clinics

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        kind = check_add_project_body_phase_question_kind(rest.pop("kind"))

        month = rest.pop("month")

        name = rest.pop("name")

        clinics = cast(list[str], rest.pop("clinics", UNSET))

        add_project_body_phase_question = cls(
            kind=kind,
            month=month,
            name=name,
            clinics=clinics,
        )

        return add_project_body_phase_question
