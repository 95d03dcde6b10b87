from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audience import Audience, check_audience
from ..models.interval import Interval, check_interval
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.earlier_version_answer import EarlierVersionAnswer
    from ..models.measure_summary import MeasureSummary
    from ..models.point import Point


T = TypeVar("T", bound="SeriesAnswer")


@_attrs_define
class SeriesAnswer:
    """A measure, interval by interval; no interval is told by two definitions."""

    audience: Audience | None
    """ Null for a clinic's own live numbers. """
    clinic: None | str
    """ Null for the network as a whole, or a cohort. """
    counted_up_to: datetime.datetime | None
    """ Live numbers hold all that came before. """
    interval: Interval
    """ How long one point of a series is. """
    measure: MeasureSummary
    """ One line of the catalogue. """
    points: list[Point]
    policy: str
    """ SHA-256 of the de-identification policy. """
    release: int | None
    stratum: None | str
    cohort: None | str | Unset = UNSET
    """ A named set of clinics. """
    earlier_versions: list[EarlierVersionAnswer] | Unset = UNSET
    """ What was published before the definition changed. """
    pooling: str | Unset = (
        "The network's value is that of all its patients or exposure together (sum of n / sum of d, or sum of values / d), not the mean of its clinics'."
    )
    """ How clinics are pooled. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        audience: None | str
        if isinstance(self.audience, str):
            audience = self.audience
        else:
            audience = self.audience

        clinic: None | str
        clinic = self.clinic

        counted_up_to: None | str
        if isinstance(self.counted_up_to, datetime.datetime):
            counted_up_to = self.counted_up_to.isoformat()
        else:
            counted_up_to = self.counted_up_to

        interval: str = self.interval

        measure = self.measure.to_dict()

        points = []
        for points_item_data in self.points:
            points_item = points_item_data.to_dict()
            points.append(points_item)

        policy = self.policy

        release: int | None
        release = self.release

        stratum: None | str
        stratum = self.stratum

        cohort: None | str | Unset
        if isinstance(self.cohort, Unset):
            cohort = UNSET
        else:
            cohort = self.cohort

        earlier_versions: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.earlier_versions, Unset):
            earlier_versions = []
            for earlier_versions_item_data in self.earlier_versions:
                earlier_versions_item = earlier_versions_item_data.to_dict()
                earlier_versions.append(earlier_versions_item)

        pooling = self.pooling

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "audience": audience,
                "clinic": clinic,
                "counted_up_to": counted_up_to,
                "interval": interval,
                "measure": measure,
                "points": points,
                "policy": policy,
                "release": release,
                "stratum": stratum,
            }
        )
        if cohort is not UNSET:
            field_dict["cohort"] = cohort
        if earlier_versions is not UNSET:
            field_dict["earlier_versions"] = earlier_versions
        if pooling is not UNSET:
            field_dict["pooling"] = pooling

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.earlier_version_answer import EarlierVersionAnswer  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.point import Point  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_audience(data: object) -> Audience | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                audience_type_0 = check_audience(data)

                return audience_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Audience | None, data)

        audience = _parse_audience(rest.pop("audience"))

        def _parse_clinic(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clinic = _parse_clinic(rest.pop("clinic"))

        def _parse_counted_up_to(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                counted_up_to_type_0 = datetime.datetime.fromisoformat(data)

                return counted_up_to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        counted_up_to = _parse_counted_up_to(rest.pop("counted_up_to"))

        interval = check_interval(rest.pop("interval"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        points = []
        _points = rest.pop("points")
        for points_item_data in _points:
            points_item = Point.from_dict(points_item_data)

            points.append(points_item)

        policy = rest.pop("policy")

        def _parse_release(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        release = _parse_release(rest.pop("release"))

        def _parse_stratum(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        stratum = _parse_stratum(rest.pop("stratum"))

        def _parse_cohort(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cohort = _parse_cohort(rest.pop("cohort", UNSET))

        _earlier_versions = rest.pop("earlier_versions", UNSET)
        earlier_versions: list[EarlierVersionAnswer] | Unset = UNSET
        if _earlier_versions is not UNSET:
            earlier_versions = []
            for earlier_versions_item_data in _earlier_versions:
                earlier_versions_item = EarlierVersionAnswer.from_dict(
                    earlier_versions_item_data
                )

                earlier_versions.append(earlier_versions_item)

        pooling = rest.pop("pooling", UNSET)

        series_answer = cls(
            audience=audience,
            clinic=clinic,
            counted_up_to=counted_up_to,
            interval=interval,
            measure=measure,
            points=points,
            policy=policy,
            release=release,
            stratum=stratum,
            cohort=cohort,
            earlier_versions=earlier_versions,
            pooling=pooling,
        )

        series_answer.additional_properties = rest
        return series_answer

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
