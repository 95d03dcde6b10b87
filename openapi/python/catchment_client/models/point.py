from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.withheld import Withheld, check_withheld

T = TypeVar("T", bound="Point")


@_attrs_define
class Point:
    """One interval of a series; proportions in [0, 1], or rates (``measure.per``).

    Where ``reason`` is set the counts are null: ``suppressed`` for few people,
    ``no-data``, ``not-published``, or that a clinic which counts itself sent
    no events or no exposure. ``completeness`` is scored / population.

    """

    completeness: float | None
    d: int | None
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    n: int | None
    population: int | None
    provisional: bool
    reason: None | Withheld
    scored: int | None
    suppressed: bool
    value: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        completeness: float | None
        completeness = self.completeness

        d: int | None
        d = self.d

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        n: int | None
        n = self.n

        population: int | None
        population = self.population

        provisional = self.provisional

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        scored: int | None
        scored = self.scored

        suppressed = self.suppressed

        value: float | None
        value = self.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "completeness": completeness,
                "d": d,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "n": n,
                "population": population,
                "provisional": provisional,
                "reason": reason,
                "scored": scored,
                "suppressed": suppressed,
                "value": value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_completeness(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        completeness = _parse_completeness(rest.pop("completeness"))

        def _parse_d(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        d = _parse_d(rest.pop("d"))

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_n(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        n = _parse_n(rest.pop("n"))

        def _parse_population(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        population = _parse_population(rest.pop("population"))

        provisional = rest.pop("provisional")

        def _parse_reason(data: object) -> None | Withheld:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_withheld(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Withheld, data)

        reason = _parse_reason(rest.pop("reason"))

        def _parse_scored(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        scored = _parse_scored(rest.pop("scored"))

        suppressed = rest.pop("suppressed")

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        point = cls(
            completeness=completeness,
            d=d,
            interval_end=interval_end,
            interval_start=interval_start,
            n=n,
            population=population,
            provisional=provisional,
            reason=reason,
            scored=scored,
            suppressed=suppressed,
            value=value,
        )

        point.additional_properties = rest
        return point

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
