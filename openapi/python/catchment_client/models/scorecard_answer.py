from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audience import Audience, check_audience

if TYPE_CHECKING:
    from ..models.score_answer import ScoreAnswer


T = TypeVar("T", bound="ScorecardAnswer")


@_attrs_define
class ScorecardAnswer:
    """Every measure of one clinic.

    A clinic's own client gets its own true numbers, ``live``; all others what is
    released to them.

    """

    audience: Audience | None
    """ Whose release is told; null: nothing has been released. """
    clinic: str
    counted_up_to: datetime.datetime | None
    """ Live numbers hold all that came before. """
    live: bool
    measures: list[ScoreAnswer]
    name: str
    policy: str
    """ SHA-256 of the de-identification policy. """
    release: int | None
    """ Of the network's numbers, and of the clinic's if not live. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        audience: None | str
        if isinstance(self.audience, str):
            audience = self.audience
        else:
            audience = self.audience

        clinic = self.clinic

        counted_up_to: None | str
        if isinstance(self.counted_up_to, datetime.datetime):
            counted_up_to = self.counted_up_to.isoformat()
        else:
            counted_up_to = self.counted_up_to

        live = self.live

        measures = []
        for measures_item_data in self.measures:
            measures_item = measures_item_data.to_dict()
            measures.append(measures_item)

        name = self.name

        policy = self.policy

        release: int | None
        release = self.release

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "audience": audience,
                "clinic": clinic,
                "counted_up_to": counted_up_to,
                "live": live,
                "measures": measures,
                "name": name,
                "policy": policy,
                "release": release,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.score_answer import ScoreAnswer  # noqa: PLC0415

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

        clinic = rest.pop("clinic")

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

        live = rest.pop("live")

        measures = []
        _measures = rest.pop("measures")
        for measures_item_data in _measures:
            measures_item = ScoreAnswer.from_dict(measures_item_data)

            measures.append(measures_item)

        name = rest.pop("name")

        policy = rest.pop("policy")

        def _parse_release(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        release = _parse_release(rest.pop("release"))

        scorecard_answer = cls(
            audience=audience,
            clinic=clinic,
            counted_up_to=counted_up_to,
            live=live,
            measures=measures,
            name=name,
            policy=policy,
            release=release,
        )

        scorecard_answer.additional_properties = rest
        return scorecard_answer

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
