from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.finding import Finding, check_finding
from ..models.no_comparison import NoComparison, check_no_comparison

if TYPE_CHECKING:
    from ..models.distribution_answer import DistributionAnswer


T = TypeVar("T", bound="FindingAnswer")


@_attrs_define
class FindingAnswer:
    """One thing that may be wrong: found ``count`` times ``of`` so many looked at.

    Where the share does not stand against the network's, ``reason`` says why.

    """

    count: int
    examples: list[str]
    """ Ids of the hub for GET /fhir/{type}/{id}, five at most. """
    finding: Finding
    """ What may be wrong with what is kept; each has its rule in the report's page. """
    network: DistributionAnswer | None
    of: int | None
    reason: NoComparison | None
    share: float | None
    type_: str
    """ Of what type the examples are. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.distribution_answer import DistributionAnswer  # noqa: PLC0415

        count = self.count

        examples = self.examples

        finding: str = self.finding

        network: dict[str, Any] | None
        if isinstance(self.network, DistributionAnswer):
            network = self.network.to_dict()
        else:
            network = self.network

        of: int | None
        of = self.of

        reason: None | str
        if isinstance(self.reason, str):
            reason = self.reason
        else:
            reason = self.reason

        share: float | None
        share = self.share

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "count": count,
                "examples": examples,
                "finding": finding,
                "network": network,
                "of": of,
                "reason": reason,
                "share": share,
                "type": type_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.distribution_answer import DistributionAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        count = rest.pop("count")

        examples = cast(list[str], rest.pop("examples"))

        finding = check_finding(rest.pop("finding"))

        def _parse_network(data: object) -> DistributionAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                network_type_0 = DistributionAnswer.from_dict(data)

                return network_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DistributionAnswer | None, data)

        network = _parse_network(rest.pop("network"))

        def _parse_of(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        of = _parse_of(rest.pop("of"))

        def _parse_reason(data: object) -> NoComparison | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                reason_type_0 = check_no_comparison(data)

                return reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NoComparison | None, data)

        reason = _parse_reason(rest.pop("reason"))

        def _parse_share(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        share = _parse_share(rest.pop("share"))

        type_ = rest.pop("type")

        finding_answer = cls(
            count=count,
            examples=examples,
            finding=finding,
            network=network,
            of=of,
            reason=reason,
            share=share,
            type_=type_,
        )

        finding_answer.additional_properties = rest
        return finding_answer

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
