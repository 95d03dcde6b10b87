from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.interval import Interval, check_interval
from ..models.not_estimated import NotEstimated, check_not_estimated

if TYPE_CHECKING:
    from ..models.expected_answer import ExpectedAnswer


T = TypeVar("T", bound="EstimateAnswer")


@_attrs_define
class EstimateAnswer:
    """How much a measure changed with a project, from released counts.

    `change` is `observed` less `expected`, with its 95 % interval `lower` to `upper`,
    on the measure's scale: proportions in [0, 1], or events per so much exposure. Null
    where `not_estimated` says why.

    """

    change: float | None
    clinics: int
    """ Of the project, in the estimate. """
    compared_with: int
    """ Clinics that do not take part, or not yet; 0: uncontrolled. """
    dispersion: float | None
    expected: float | None
    improvement_notation: str
    interval: Interval
    """ How long one point of a series is. """
    intervals: list[ExpectedAnswer]
    left_out: int
    """ Clinics with too few intervals. """
    lower: float | None
    measure: str
    method: str
    not_estimated: None | NotEstimated
    observed: float | None
    per: int | None
    project: str
    release: int
    unpublished: int
    """ Clinics of the project that publish nothing of this width. """
    upper: float | None
    withheld: int
    """ Intervals of clinics without numbers. """
    words: str
    """ What a clinician reads. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        change: float | None
        change = self.change

        clinics = self.clinics

        compared_with = self.compared_with

        dispersion: float | None
        dispersion = self.dispersion

        expected: float | None
        expected = self.expected

        improvement_notation = self.improvement_notation

        interval: str = self.interval

        intervals = []
        for intervals_item_data in self.intervals:
            intervals_item = intervals_item_data.to_dict()
            intervals.append(intervals_item)

        left_out = self.left_out

        lower: float | None
        lower = self.lower

        measure = self.measure

        method = self.method

        not_estimated: None | str
        if isinstance(self.not_estimated, str):
            not_estimated = self.not_estimated
        else:
            not_estimated = self.not_estimated

        observed: float | None
        observed = self.observed

        per: int | None
        per = self.per

        project = self.project

        release = self.release

        unpublished = self.unpublished

        upper: float | None
        upper = self.upper

        withheld = self.withheld

        words = self.words

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "change": change,
                "clinics": clinics,
                "compared_with": compared_with,
                "dispersion": dispersion,
                "expected": expected,
                "improvement_notation": improvement_notation,
                "interval": interval,
                "intervals": intervals,
                "left_out": left_out,
                "lower": lower,
                "measure": measure,
                "method": method,
                "not_estimated": not_estimated,
                "observed": observed,
                "per": per,
                "project": project,
                "release": release,
                "unpublished": unpublished,
                "upper": upper,
                "withheld": withheld,
                "words": words,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.expected_answer import ExpectedAnswer  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_change(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        change = _parse_change(rest.pop("change"))

        clinics = rest.pop("clinics")

        compared_with = rest.pop("compared_with")

        def _parse_dispersion(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        dispersion = _parse_dispersion(rest.pop("dispersion"))

        def _parse_expected(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        expected = _parse_expected(rest.pop("expected"))

        improvement_notation = rest.pop("improvement_notation")

        interval = check_interval(rest.pop("interval"))

        intervals = []
        _intervals = rest.pop("intervals")
        for intervals_item_data in _intervals:
            intervals_item = ExpectedAnswer.from_dict(intervals_item_data)

            intervals.append(intervals_item)

        left_out = rest.pop("left_out")

        def _parse_lower(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower = _parse_lower(rest.pop("lower"))

        measure = rest.pop("measure")

        method = rest.pop("method")

        def _parse_not_estimated(data: object) -> None | NotEstimated:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_estimated_type_0 = check_not_estimated(data)

                return not_estimated_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | NotEstimated, data)

        not_estimated = _parse_not_estimated(rest.pop("not_estimated"))

        def _parse_observed(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        observed = _parse_observed(rest.pop("observed"))

        def _parse_per(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        per = _parse_per(rest.pop("per"))

        project = rest.pop("project")

        release = rest.pop("release")

        unpublished = rest.pop("unpublished")

        def _parse_upper(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper = _parse_upper(rest.pop("upper"))

        withheld = rest.pop("withheld")

        words = rest.pop("words")

        estimate_answer = cls(
            change=change,
            clinics=clinics,
            compared_with=compared_with,
            dispersion=dispersion,
            expected=expected,
            improvement_notation=improvement_notation,
            interval=interval,
            intervals=intervals,
            left_out=left_out,
            lower=lower,
            measure=measure,
            method=method,
            not_estimated=not_estimated,
            observed=observed,
            per=per,
            project=project,
            release=release,
            unpublished=unpublished,
            upper=upper,
            withheld=withheld,
            words=words,
        )

        estimate_answer.additional_properties = rest
        return estimate_answer

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
