from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audience import Audience, check_audience

if TYPE_CHECKING:
    from ..models.audit_answer import AuditAnswer
    from ..models.release_answer_summary import ReleaseAnswerSummary
    from ..models.restated_block import RestatedBlock


T = TypeVar("T", bound="ReleaseAnswer")


@_attrs_define
class ReleaseAnswer:
    """What was published when, for whom, under which rules, with what audit.

    `rounded_to`: its new counts are multiples of it; null: they are as they were.
    `counts`: a patient of several clinics counts in the network's numbers once for each
    (`summed`), or once (`deduplicated`).

    """

    audience: Audience
    """ Who a release is made for. """
    audit: AuditAnswer | None
    """ Null of a release from before there were audits. """
    closed_before: datetime.date
    counts: str
    created_at: datetime.datetime
    id: int
    policy: str
    restated: list[RestatedBlock]
    """ What got other numbers than the releases before had. """
    rounded_to: int | None
    rules: str
    summary: ReleaseAnswerSummary
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.audit_answer import AuditAnswer  # noqa: PLC0415

        audience: str = self.audience

        audit: dict[str, Any] | None
        if isinstance(self.audit, AuditAnswer):
            audit = self.audit.to_dict()
        else:
            audit = self.audit

        closed_before = self.closed_before.isoformat()

        counts = self.counts

        created_at = self.created_at.isoformat()

        id = self.id

        policy = self.policy

        restated = []
        for restated_item_data in self.restated:
            restated_item = restated_item_data.to_dict()
            restated.append(restated_item)

        rounded_to: int | None
        rounded_to = self.rounded_to

        rules = self.rules

        summary = self.summary.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "audience": audience,
                "audit": audit,
                "closed_before": closed_before,
                "counts": counts,
                "created_at": created_at,
                "id": id,
                "policy": policy,
                "restated": restated,
                "rounded_to": rounded_to,
                "rules": rules,
                "summary": summary,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.audit_answer import AuditAnswer  # noqa: PLC0415
        from ..models.release_answer_summary import ReleaseAnswerSummary  # noqa: PLC0415
        from ..models.restated_block import RestatedBlock  # noqa: PLC0415

        rest = dict(src_dict)
        audience = check_audience(rest.pop("audience"))

        def _parse_audit(data: object) -> AuditAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                audit_type_0 = AuditAnswer.from_dict(data)

                return audit_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AuditAnswer | None, data)

        audit = _parse_audit(rest.pop("audit"))

        closed_before = datetime.date.fromisoformat(rest.pop("closed_before"))

        counts = rest.pop("counts")

        created_at = datetime.datetime.fromisoformat(rest.pop("created_at"))

        id = rest.pop("id")

        policy = rest.pop("policy")

        restated = []
        _restated = rest.pop("restated")
        for restated_item_data in _restated:
            restated_item = RestatedBlock.from_dict(restated_item_data)

            restated.append(restated_item)

        def _parse_rounded_to(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rounded_to = _parse_rounded_to(rest.pop("rounded_to"))

        rules = rest.pop("rules")

        summary = ReleaseAnswerSummary.from_dict(rest.pop("summary"))

        release_answer = cls(
            audience=audience,
            audit=audit,
            closed_before=closed_before,
            counts=counts,
            created_at=created_at,
            id=id,
            policy=policy,
            restated=restated,
            rounded_to=rounded_to,
            rules=rules,
            summary=summary,
        )

        release_answer.additional_properties = rest
        return release_answer

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
