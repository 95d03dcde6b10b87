from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audience import Audience, check_audience
from ..models.comparison_answer_interval_method import (
    ComparisonAnswerIntervalMethod,
    check_comparison_answer_interval_method,
)
from ..models.interval import Interval, check_interval
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.benchmarks_answer import BenchmarksAnswer
    from ..models.clinic_answer import ClinicAnswer
    from ..models.measure_summary import MeasureSummary
    from ..models.remark_answer import RemarkAnswer


T = TypeVar("T", bound="ComparisonAnswer")


@_attrs_define
class ComparisonAnswer:
    """Every clinic on one measure in one interval.

    ``target`` is what the funnel is around: the released network value. Rates and means
    are on the measure's own scale; means have no funnel.

    """

    audience: Audience | None
    """ Null for a clinic's own live numbers. """
    benchmarks: BenchmarksAnswer
    """ What a clinic may measure itself by; null: withheld, or there is none. """
    clinic: None | str
    """ Null for the network as a whole, or a cohort. """
    clinics: list[ClinicAnswer]
    counted_up_to: datetime.datetime | None
    """ Live numbers hold all that came before. """
    interval: Interval
    """ How long one point of a series is. """
    interval_end: datetime.date
    interval_method: ComparisonAnswerIntervalMethod
    interval_start: datetime.date
    measure: MeasureSummary
    """ One line of the catalogue. """
    phi: float | None
    policy: str
    """ SHA-256 of the de-identification policy. """
    rank_method: str
    release: int | None
    remarks: list[RemarkAnswer]
    stratum: None | str
    target: float | None
    tau2: float | None
    cohort: None | str | Unset = UNSET
    """ A named set of clinics. """
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

        benchmarks = self.benchmarks.to_dict()

        clinic: None | str
        clinic = self.clinic

        clinics = []
        for clinics_item_data in self.clinics:
            clinics_item = clinics_item_data.to_dict()
            clinics.append(clinics_item)

        counted_up_to: None | str
        if isinstance(self.counted_up_to, datetime.datetime):
            counted_up_to = self.counted_up_to.isoformat()
        else:
            counted_up_to = self.counted_up_to

        interval: str = self.interval

        interval_end = self.interval_end.isoformat()

        interval_method: str = self.interval_method

        interval_start = self.interval_start.isoformat()

        measure = self.measure.to_dict()

        phi: float | None
        phi = self.phi

        policy = self.policy

        rank_method = self.rank_method

        release: int | None
        release = self.release

        remarks = []
        for remarks_item_data in self.remarks:
            remarks_item = remarks_item_data.to_dict()
            remarks.append(remarks_item)

        stratum: None | str
        stratum = self.stratum

        target: float | None
        target = self.target

        tau2: float | None
        tau2 = self.tau2

        cohort: None | str | Unset
        if isinstance(self.cohort, Unset):
            cohort = UNSET
        else:
            cohort = self.cohort

        pooling = self.pooling

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "audience": audience,
                "benchmarks": benchmarks,
                "clinic": clinic,
                "clinics": clinics,
                "counted_up_to": counted_up_to,
                "interval": interval,
                "interval_end": interval_end,
                "interval_method": interval_method,
                "interval_start": interval_start,
                "measure": measure,
                "phi": phi,
                "policy": policy,
                "rank_method": rank_method,
                "release": release,
                "remarks": remarks,
                "stratum": stratum,
                "target": target,
                "tau2": tau2,
            }
        )
        if cohort is not UNSET:
            field_dict["cohort"] = cohort
        if pooling is not UNSET:
            field_dict["pooling"] = pooling

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.benchmarks_answer import BenchmarksAnswer  # noqa: PLC0415
        from ..models.clinic_answer import ClinicAnswer  # noqa: PLC0415
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.remark_answer import RemarkAnswer  # noqa: PLC0415

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

        benchmarks = BenchmarksAnswer.from_dict(rest.pop("benchmarks"))

        def _parse_clinic(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clinic = _parse_clinic(rest.pop("clinic"))

        clinics = []
        _clinics = rest.pop("clinics")
        for clinics_item_data in _clinics:
            clinics_item = ClinicAnswer.from_dict(clinics_item_data)

            clinics.append(clinics_item)

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

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_method = check_comparison_answer_interval_method(
            rest.pop("interval_method")
        )

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        def _parse_phi(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        phi = _parse_phi(rest.pop("phi"))

        policy = rest.pop("policy")

        rank_method = rest.pop("rank_method")

        def _parse_release(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        release = _parse_release(rest.pop("release"))

        remarks = []
        _remarks = rest.pop("remarks")
        for remarks_item_data in _remarks:
            remarks_item = RemarkAnswer.from_dict(remarks_item_data)

            remarks.append(remarks_item)

        def _parse_stratum(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        stratum = _parse_stratum(rest.pop("stratum"))

        def _parse_target(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        target = _parse_target(rest.pop("target"))

        def _parse_tau2(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        tau2 = _parse_tau2(rest.pop("tau2"))

        def _parse_cohort(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cohort = _parse_cohort(rest.pop("cohort", UNSET))

        pooling = rest.pop("pooling", UNSET)

        comparison_answer = cls(
            audience=audience,
            benchmarks=benchmarks,
            clinic=clinic,
            clinics=clinics,
            counted_up_to=counted_up_to,
            interval=interval,
            interval_end=interval_end,
            interval_method=interval_method,
            interval_start=interval_start,
            measure=measure,
            phi=phi,
            policy=policy,
            rank_method=rank_method,
            release=release,
            remarks=remarks,
            stratum=stratum,
            target=target,
            tau2=tau2,
            cohort=cohort,
            pooling=pooling,
        )

        comparison_answer.additional_properties = rest
        return comparison_answer

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
