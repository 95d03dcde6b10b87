from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.contribution_answer_status import (
    ContributionAnswerStatus,
    check_contribution_answer_status,
)

T = TypeVar("T", bound="ContributionAnswer")


@_attrs_define
class ContributionAnswer:
    """One of a clinic's own patients; ``met`` is to be in the numerator.

    ``counted`` is to be in the denominator of a measure that has no numerator.
    ``missing`` names what a score wants and was not found.

    """

    missing: list[str]
    patient: str
    """ A reference by the hub's own id. """
    status: ContributionAnswerStatus
    strata: list[str]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        missing = self.missing

        patient = self.patient

        status: str = self.status

        strata = self.strata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "missing": missing,
                "patient": patient,
                "status": status,
                "strata": strata,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        missing = cast(list[str], rest.pop("missing"))

        patient = rest.pop("patient")

        status = check_contribution_answer_status(rest.pop("status"))

        strata = cast(list[str], rest.pop("strata"))

        contribution_answer = cls(
            missing=missing,
            patient=patient,
            status=status,
            strata=strata,
        )

        contribution_answer.additional_properties = rest
        return contribution_answer

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
