from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.no_capture import NoCapture, check_no_capture

T = TypeVar("T", bound="VisitCaptureAnswer")


@_attrs_define
class VisitCaptureAnswer:
    """Qualifying visits that were recorded, and those with a value a measure asks for.

    A visit is one person on one day. ``captured`` is recorded / expected, and may
    exceed 1; ``reason`` says why there is none.

    """

    captured: float | None
    expected: int | None
    """ What the clinic declares; null unless of each month. """
    reason: NoCapture | None
    recorded: int
    share: float | None
    with_value: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        captured: float | None
        captured = self.captured

        expected: int | None
        expected = self.expected

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        recorded = self.recorded

        share: float | None
        share = self.share

        with_value = self.with_value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "captured": captured,
                "expected": expected,
                "reason": reason,
                "recorded": recorded,
                "share": share,
                "with_value": with_value,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_captured(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        captured = _parse_captured(rest.pop("captured"))

        def _parse_expected(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        expected = _parse_expected(rest.pop("expected"))

        def _parse_reason(data: object) -> NoCapture | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_no_capture(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NoCapture | None, data)

        reason = _parse_reason(rest.pop("reason"))

        recorded = rest.pop("recorded")

        def _parse_share(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        share = _parse_share(rest.pop("share"))

        with_value = rest.pop("with_value")

        visit_capture_answer = cls(
            captured=captured,
            expected=expected,
            reason=reason,
            recorded=recorded,
            share=share,
            with_value=with_value,
        )

        visit_capture_answer.additional_properties = rest
        return visit_capture_answer

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
