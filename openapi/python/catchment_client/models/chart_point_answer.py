from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.no_capture import NoCapture, check_no_capture
from ..models.withheld import Withheld, check_withheld
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.missing import Missing


T = TypeVar("T", bound="ChartPointAnswer")


@_attrs_define
class ChartPointAnswer:
    """A point on a control chart, with its lines; ``value`` is what the chart is drawn of.

    That is the measure's value but on MR, S and c charts: there it is the moving range,
    the standard deviation, the number of events.

    """

    center_line: float | None
    completeness: float | None
    d: float | int | None
    interval_end: datetime.date
    """ The first day after the interval. """
    interval_start: datetime.date
    lower_2_sigma: float | None
    lower_limit: float | None
    n: float | int | None
    phase: int
    population: int | None
    provisional: bool
    reason: None | Withheld
    scored: int | None
    signals: list[str]
    suppressed: bool
    upper_2_sigma: float | None
    upper_limit: float | None
    value: float | None
    clinics: int | None | Unset = UNSET
    """ Of a cohort: how many clinics the counts are of. """
    excepted: int | None | Unset = UNSET
    excluded: int | None | Unset = UNSET
    known_cause: bool | Unset = False
    """ Excluded by a decision: in no line and no run. """
    median: float | None | Unset = UNSET
    missing: list[Missing] | None | Unset = UNSET
    p10: float | None | Unset = UNSET
    p25: float | None | Unset = UNSET
    p75: float | None | Unset = UNSET
    p90: float | None | Unset = UNSET
    restated_in: int | None | Unset = UNSET
    """ The release that gave it other numbers than before. """
    sd: float | None | Unset = UNSET
    visit_capture: float | None | Unset = UNSET
    """ Recorded / expected visits; it may exceed 1. """
    visit_capture_reason: NoCapture | None | Unset = UNSET
    """ Why there is none, of a measure of people. """
    visits_expected: int | None | Unset = UNSET
    """ How many of them the clinic declares to have had. """
    visits_recorded: int | None | Unset = UNSET
    """ Qualifying visits of the clinic, one a person and day. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        center_line: float | None
        center_line = self.center_line

        completeness: float | None
        completeness = self.completeness

        d: float | int | None
        d = self.d

        interval_end = self.interval_end.isoformat()

        interval_start = self.interval_start.isoformat()

        lower_2_sigma: float | None
        lower_2_sigma = self.lower_2_sigma

        lower_limit: float | None
        lower_limit = self.lower_limit

        n: float | int | None
        n = self.n

        phase = self.phase

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

        signals = self.signals

        suppressed = self.suppressed

        upper_2_sigma: float | None
        upper_2_sigma = self.upper_2_sigma

        upper_limit: float | None
        upper_limit = self.upper_limit

        value: float | None
        value = self.value

        clinics: int | None | Unset
        if isinstance(self.clinics, Unset):
            clinics = UNSET
        else:
            clinics = self.clinics

        excepted: int | None | Unset
        if isinstance(self.excepted, Unset):
            excepted = UNSET
        else:
            excepted = self.excepted

        excluded: int | None | Unset
        if isinstance(self.excluded, Unset):
            excluded = UNSET
        else:
            excluded = self.excluded

        known_cause = self.known_cause

        median: float | None | Unset
        if isinstance(self.median, Unset):
            median = UNSET
        else:
            median = self.median

        missing: list[dict[str, Any]] | None | Unset
        if isinstance(self.missing, Unset):
            missing = UNSET
        elif isinstance(self.missing, list):
            missing = []
            for missing_type_0_item_data in self.missing:
                missing_type_0_item = missing_type_0_item_data.to_dict()
                missing.append(missing_type_0_item)

        else:
            missing = self.missing

        p10: float | None | Unset
        if isinstance(self.p10, Unset):
            p10 = UNSET
        else:
            p10 = self.p10

        p25: float | None | Unset
        if isinstance(self.p25, Unset):
            p25 = UNSET
        else:
            p25 = self.p25

        p75: float | None | Unset
        if isinstance(self.p75, Unset):
            p75 = UNSET
        else:
            p75 = self.p75

        p90: float | None | Unset
        if isinstance(self.p90, Unset):
            p90 = UNSET
        else:
            p90 = self.p90

        restated_in: int | None | Unset
        if isinstance(self.restated_in, Unset):
            restated_in = UNSET
        else:
            restated_in = self.restated_in

        sd: float | None | Unset
        if isinstance(self.sd, Unset):
            sd = UNSET
        else:
            sd = self.sd

        visit_capture: float | None | Unset
        if isinstance(self.visit_capture, Unset):
            visit_capture = UNSET
        else:
            visit_capture = self.visit_capture

        visit_capture_reason: None | str | Unset
        if isinstance(self.visit_capture_reason, Unset):
            visit_capture_reason = UNSET
        elif isinstance(self.visit_capture_reason, str):
            visit_capture_reason = self.visit_capture_reason
        else:
            visit_capture_reason = self.visit_capture_reason

        visits_expected: int | None | Unset
        if isinstance(self.visits_expected, Unset):
            visits_expected = UNSET
        else:
            visits_expected = self.visits_expected

        visits_recorded: int | None | Unset
        if isinstance(self.visits_recorded, Unset):
            visits_recorded = UNSET
        else:
            visits_recorded = self.visits_recorded

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "center_line": center_line,
                "completeness": completeness,
                "d": d,
                "interval_end": interval_end,
                "interval_start": interval_start,
                "lower_2_sigma": lower_2_sigma,
                "lower_limit": lower_limit,
                "n": n,
                "phase": phase,
                "population": population,
                "provisional": provisional,
                "reason": reason,
                "scored": scored,
                "signals": signals,
                "suppressed": suppressed,
                "upper_2_sigma": upper_2_sigma,
                "upper_limit": upper_limit,
                "value": value,
            }
        )
        if clinics is not UNSET:
            field_dict["clinics"] = clinics
        if excepted is not UNSET:
            field_dict["excepted"] = excepted
        if excluded is not UNSET:
            field_dict["excluded"] = excluded
        if known_cause is not UNSET:
            field_dict["known_cause"] = known_cause
        if median is not UNSET:
            field_dict["median"] = median
        if missing is not UNSET:
            field_dict["missing"] = missing
        if p10 is not UNSET:
            field_dict["p10"] = p10
        if p25 is not UNSET:
            field_dict["p25"] = p25
        if p75 is not UNSET:
            field_dict["p75"] = p75
        if p90 is not UNSET:
            field_dict["p90"] = p90
        if restated_in is not UNSET:
            field_dict["restated_in"] = restated_in
        if sd is not UNSET:
            field_dict["sd"] = sd
        if visit_capture is not UNSET:
            field_dict["visit_capture"] = visit_capture
        if visit_capture_reason is not UNSET:
            field_dict["visit_capture_reason"] = visit_capture_reason
        if visits_expected is not UNSET:
            field_dict["visits_expected"] = visits_expected
        if visits_recorded is not UNSET:
            field_dict["visits_recorded"] = visits_recorded

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.missing import Missing  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_center_line(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        center_line = _parse_center_line(rest.pop("center_line"))

        def _parse_completeness(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        completeness = _parse_completeness(rest.pop("completeness"))

        def _parse_d(data: object) -> float | int | None:
            if data is None:
                return data
            return cast(float | int | None, data)

        d = _parse_d(rest.pop("d"))

        interval_end = datetime.date.fromisoformat(rest.pop("interval_end"))

        interval_start = datetime.date.fromisoformat(rest.pop("interval_start"))

        def _parse_lower_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_2_sigma = _parse_lower_2_sigma(rest.pop("lower_2_sigma"))

        def _parse_lower_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        lower_limit = _parse_lower_limit(rest.pop("lower_limit"))

        def _parse_n(data: object) -> float | int | None:
            if data is None:
                return data
            return cast(float | int | None, data)

        n = _parse_n(rest.pop("n"))

        phase = rest.pop("phase")

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

        signals = cast(list[str], rest.pop("signals"))

        suppressed = rest.pop("suppressed")

        def _parse_upper_2_sigma(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_2_sigma = _parse_upper_2_sigma(rest.pop("upper_2_sigma"))

        def _parse_upper_limit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        upper_limit = _parse_upper_limit(rest.pop("upper_limit"))

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(rest.pop("value"))

        def _parse_clinics(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        clinics = _parse_clinics(rest.pop("clinics", UNSET))

        def _parse_excepted(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        excepted = _parse_excepted(rest.pop("excepted", UNSET))

        def _parse_excluded(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        excluded = _parse_excluded(rest.pop("excluded", UNSET))

        known_cause = rest.pop("known_cause", UNSET)

        def _parse_median(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        median = _parse_median(rest.pop("median", UNSET))

        def _parse_missing(data: object) -> list[Missing] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                missing_type_0 = []
                _missing_type_0 = data
                for missing_type_0_item_data in _missing_type_0:
                    missing_type_0_item = Missing.from_dict(missing_type_0_item_data)

                    missing_type_0.append(missing_type_0_item)

                return missing_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Missing] | None | Unset, data)

        missing = _parse_missing(rest.pop("missing", UNSET))

        def _parse_p10(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        p10 = _parse_p10(rest.pop("p10", UNSET))

        def _parse_p25(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        p25 = _parse_p25(rest.pop("p25", UNSET))

        def _parse_p75(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        p75 = _parse_p75(rest.pop("p75", UNSET))

        def _parse_p90(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        p90 = _parse_p90(rest.pop("p90", UNSET))

        def _parse_restated_in(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        restated_in = _parse_restated_in(rest.pop("restated_in", UNSET))

        def _parse_sd(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        sd = _parse_sd(rest.pop("sd", UNSET))

        def _parse_visit_capture(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        visit_capture = _parse_visit_capture(rest.pop("visit_capture", UNSET))

        def _parse_visit_capture_reason(data: object) -> NoCapture | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                visit_capture_reason_type_0 = check_no_capture(data)

                return visit_capture_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NoCapture | None | Unset, data)

        visit_capture_reason = _parse_visit_capture_reason(
            rest.pop("visit_capture_reason", UNSET)
        )

        def _parse_visits_expected(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        visits_expected = _parse_visits_expected(rest.pop("visits_expected", UNSET))

        def _parse_visits_recorded(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        visits_recorded = _parse_visits_recorded(rest.pop("visits_recorded", UNSET))

        chart_point_answer = cls(
            center_line=center_line,
            completeness=completeness,
            d=d,
            interval_end=interval_end,
            interval_start=interval_start,
            lower_2_sigma=lower_2_sigma,
            lower_limit=lower_limit,
            n=n,
            phase=phase,
            population=population,
            provisional=provisional,
            reason=reason,
            scored=scored,
            signals=signals,
            suppressed=suppressed,
            upper_2_sigma=upper_2_sigma,
            upper_limit=upper_limit,
            value=value,
            clinics=clinics,
            excepted=excepted,
            excluded=excluded,
            known_cause=known_cause,
            median=median,
            missing=missing,
            p10=p10,
            p25=p25,
            p75=p75,
            p90=p90,
            restated_in=restated_in,
            sd=sd,
            visit_capture=visit_capture,
            visit_capture_reason=visit_capture_reason,
            visits_expected=visits_expected,
            visits_recorded=visits_recorded,
        )

        chart_point_answer.additional_properties = rest
        return chart_point_answer

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
