from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.contribution_answer import ContributionAnswer
    from ..models.measure_summary import MeasureSummary


T = TypeVar("T", bound="ContributionsAnswer")


@_attrs_define
class ContributionsAnswer:
    """A clinic's own patients in a measure at the end of a month, in no order."""

    contributions: list[ContributionAnswer]
    counted_up_to: datetime.datetime
    measure: MeasureSummary
    """ One line of the catalogue. """
    month: datetime.date
    """ Its first day. """
    next_: int | None
    """ The parameter `after` of the next page. """
    policy: str
    """ SHA-256 of the de-identification policy. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        contributions = []
        for contributions_item_data in self.contributions:
            contributions_item = contributions_item_data.to_dict()
            contributions.append(contributions_item)

        counted_up_to = self.counted_up_to.isoformat()

        measure = self.measure.to_dict()

        month = self.month.isoformat()

        next_: int | None
        next_ = self.next_

        policy = self.policy

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "contributions": contributions,
                "counted_up_to": counted_up_to,
                "measure": measure,
                "month": month,
                "next": next_,
                "policy": policy,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.contribution_answer import ContributionAnswer  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415

        rest = dict(src_dict)
        contributions = []
        _contributions = rest.pop("contributions")
        for contributions_item_data in _contributions:
            contributions_item = ContributionAnswer.from_dict(contributions_item_data)

            contributions.append(contributions_item)

        counted_up_to = datetime.datetime.fromisoformat(rest.pop("counted_up_to"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        month = datetime.date.fromisoformat(rest.pop("month"))

        def _parse_next_(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        next_ = _parse_next_(rest.pop("next"))

        policy = rest.pop("policy")

        contributions_answer = cls(
            contributions=contributions,
            counted_up_to=counted_up_to,
            measure=measure,
            month=month,
            next_=next_,
            policy=policy,
        )

        contributions_answer.additional_properties = rest
        return contributions_answer

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
