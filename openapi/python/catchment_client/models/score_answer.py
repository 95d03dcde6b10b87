from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.interval import Interval, check_interval
from ..models.withheld import Withheld, check_withheld

if TYPE_CHECKING:
    from ..models.measure_summary import MeasureSummary
    from ..models.network_answer import NetworkAnswer
    from ..models.point import Point
    from ..models.score_answer_withheld import ScoreAnswerWithheld
    from ..models.spark_point import SparkPoint
    from ..models.target import Target


T = TypeVar("T", bound="ScoreAnswer")


@_attrs_define
class ScoreAnswer:
    """A clinic on one measure."""

    interval: Interval
    """ How long one point of a series is. """
    measure: MeasureSummary
    """ One line of the catalogue. """
    network: NetworkAnswer | None
    newest: None | Point
    """ The newest interval with a value. """
    reason: None | Withheld
    """ Why the last interval has no value. """
    signals: list[str]
    """ The rules that found something. """
    spark: list[SparkPoint]
    target: None | Target
    verdict: str
    """ What the search for signals came to: found, none found, or not searched. """
    withheld: ScoreAnswerWithheld
    """ How many intervals have no value, by reason. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.network_answer import NetworkAnswer  # noqa: PLC0415
        from ..models.point import Point  # noqa: PLC0415
        from ..models.target import Target  # noqa: PLC0415

        interval: str = self.interval

        measure = self.measure.to_dict()

        network: dict[str, Any] | None
        if isinstance(self.network, NetworkAnswer):
            network = self.network.to_dict()
        else:
            network = self.network

        newest: dict[str, Any] | None
        if isinstance(self.newest, Point):
            newest = self.newest.to_dict()
        else:
            newest = self.newest

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        signals = self.signals

        spark = []
        for spark_item_data in self.spark:
            spark_item = spark_item_data.to_dict()
            spark.append(spark_item)

        target: dict[str, Any] | None
        if isinstance(self.target, Target):
            target = self.target.to_dict()
        else:
            target = self.target

        verdict = self.verdict

        withheld = self.withheld.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "interval": interval,
                "measure": measure,
                "network": network,
                "newest": newest,
                "reason": reason,
                "signals": signals,
                "spark": spark,
                "target": target,
                "verdict": verdict,
                "withheld": withheld,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.measure_summary import MeasureSummary  # noqa: PLC0415
        from ..models.network_answer import NetworkAnswer  # noqa: PLC0415
        from ..models.point import Point  # noqa: PLC0415
        from ..models.score_answer_withheld import ScoreAnswerWithheld  # noqa: PLC0415
        from ..models.spark_point import SparkPoint  # noqa: PLC0415
        from ..models.target import Target  # noqa: PLC0415

        rest = dict(src_dict)
        interval = check_interval(rest.pop("interval"))

        measure = MeasureSummary.from_dict(rest.pop("measure"))

        def _parse_network(data: object) -> NetworkAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                network_type_0 = NetworkAnswer.from_dict(data)

                return network_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NetworkAnswer | None, data)

        network = _parse_network(rest.pop("network"))

        def _parse_newest(data: object) -> None | Point:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                newest_type_0 = Point.from_dict(data)

                return newest_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Point, data)

        newest = _parse_newest(rest.pop("newest"))

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

        signals = cast(list[str], rest.pop("signals"))

        spark = []
        _spark = rest.pop("spark")
        for spark_item_data in _spark:
            spark_item = SparkPoint.from_dict(spark_item_data)

            spark.append(spark_item)

        def _parse_target(data: object) -> None | Target:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                target_type_0 = Target.from_dict(data)

                return target_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Target, data)

        target = _parse_target(rest.pop("target"))

        verdict = rest.pop("verdict")

        withheld = ScoreAnswerWithheld.from_dict(rest.pop("withheld"))

        score_answer = cls(
            interval=interval,
            measure=measure,
            network=network,
            newest=newest,
            reason=reason,
            signals=signals,
            spark=spark,
            target=target,
            verdict=verdict,
            withheld=withheld,
        )

        score_answer.additional_properties = rest
        return score_answer

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
