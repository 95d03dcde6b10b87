from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ShiftAnswer")


@_attrs_define
class ShiftAnswer:
    """The most likely month of a change; suggested, never applied."""

    after: float
    before: float
    dispersion: float
    """ The between-point variance that the evidence is divided by. """
    evidence: float
    """ The log-likelihood ratio of a step against none. """
    first: datetime.date
    """ With ``last``, where it is with 95 % certainty. """
    interval_start: datetime.date
    last: datetime.date
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        after = self.after

        before = self.before

        dispersion = self.dispersion

        evidence = self.evidence

        first = self.first.isoformat()

        interval_start = self.interval_start.isoformat()

        last = self.last.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "after": after,
                "before": before,
                "dispersion": dispersion,
                "evidence": evidence,
                "first": first,
                "interval_start": interval_start,
                "last": last,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        after = rest.pop("after")

        before = rest.pop("before")

        dispersion = rest.pop("dispersion")

        evidence = rest.pop("evidence")

        first = datetime.date.fromisoformat(rest.pop("first"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        last = datetime.date.fromisoformat(rest.pop("last"))

        shift_answer = cls(
            after=after,
            before=before,
            dispersion=dispersion,
            evidence=evidence,
            first=first,
            interval_start=interval_start,
            last=last,
        )

        shift_answer.additional_properties = rest
        return shift_answer

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
