from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.annotation_kind import AnnotationKind, check_annotation_kind
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.evidence_answer import EvidenceAnswer
    from ..models.signature_answer import SignatureAnswer


T = TypeVar("T", bound="AnnotationAnswer")


@_attrs_define
class AnnotationAnswer:
    """Something said or decided about charts."""

    author: None | str
    """ Null where clinics have codes for names. """
    by_clinic: bool
    """ The clinic wrote it; else a coordinator. """
    client: None | str
    """ Which client wrote it; for coordinators and the clinic itself. """
    clinic: None | str
    """ A code; neither: of the network. """
    cohort: None | str
    created_at: datetime.datetime
    day: datetime.date | None
    evidence: EvidenceAnswer | None
    hypothesis: None | str
    id: int
    kind: AnnotationKind
    """ A test of change, or a decision about the chart of one measure.

    Of a ``SHIFT`` the month is the first of the new phase; of a ``BASELINE`` the last
    that its phase's lines come from; of an ``EXCLUSION`` that with a known cause. """
    measures: list[str]
    """ Ids; none: all measures. """
    month: datetime.date
    """ Its first day. """
    reason: str
    what: None | str
    withdrawn: None | SignatureAnswer | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.evidence_answer import EvidenceAnswer  # noqa: PLC0415
        from ..models.signature_answer import SignatureAnswer  # noqa: PLC0415

        author: None | str
        author = self.author

        by_clinic = self.by_clinic

        client: None | str
        client = self.client

        clinic: None | str
        clinic = self.clinic

        cohort: None | str
        cohort = self.cohort

        created_at = self.created_at.isoformat()

        day: None | str
        if isinstance(self.day, datetime.date):
            day = self.day.isoformat()
        else:
            day = self.day

        evidence: dict[str, Any] | None
        if isinstance(self.evidence, EvidenceAnswer):
            evidence = self.evidence.to_dict()
        else:
            evidence = self.evidence

        hypothesis: None | str
        hypothesis = self.hypothesis

        id = self.id

        kind: str = self.kind

        measures = self.measures

        month = self.month.isoformat()

        reason = self.reason

        what: None | str
        what = self.what

        withdrawn: dict[str, Any] | None | Unset
        if isinstance(self.withdrawn, Unset):
            withdrawn = UNSET
        elif isinstance(self.withdrawn, SignatureAnswer):
            withdrawn = self.withdrawn.to_dict()
        else:
            withdrawn = self.withdrawn

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "author": author,
                "by_clinic": by_clinic,
                "client": client,
                "clinic": clinic,
                "cohort": cohort,
                "created_at": created_at,
                "day": day,
                "evidence": evidence,
                "hypothesis": hypothesis,
                "id": id,
                "kind": kind,
                "measures": measures,
                "month": month,
                "reason": reason,
                "what": what,
            }
        )
        if withdrawn is not UNSET:
            field_dict["withdrawn"] = withdrawn

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.evidence_answer import EvidenceAnswer  # noqa: PLC0415
        from ..models.signature_answer import SignatureAnswer  # noqa: PLC0415

        rest = dict(src_dict)

        def _parse_author(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        author = _parse_author(rest.pop("author"))

        by_clinic = rest.pop("by_clinic")

        def _parse_client(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        client = _parse_client(rest.pop("client"))

        def _parse_clinic(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        clinic = _parse_clinic(rest.pop("clinic"))

        def _parse_cohort(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        cohort = _parse_cohort(rest.pop("cohort"))

        created_at = datetime.datetime.fromisoformat(rest.pop("created_at"))

        def _parse_day(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                day_type_0 = datetime.date.fromisoformat(data)

                return day_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        day = _parse_day(rest.pop("day"))

        def _parse_evidence(data: object) -> EvidenceAnswer | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                evidence_type_0 = EvidenceAnswer.from_dict(data)

                return evidence_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EvidenceAnswer | None, data)

        evidence = _parse_evidence(rest.pop("evidence"))

        def _parse_hypothesis(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hypothesis = _parse_hypothesis(rest.pop("hypothesis"))

        id = rest.pop("id")

        kind = check_annotation_kind(rest.pop("kind"))

        measures = cast(list[str], rest.pop("measures"))

        month = datetime.date.fromisoformat(rest.pop("month"))

        reason = rest.pop("reason")

        def _parse_what(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        what = _parse_what(rest.pop("what"))

        def _parse_withdrawn(data: object) -> None | SignatureAnswer | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                withdrawn_type_0 = SignatureAnswer.from_dict(data)

                return withdrawn_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SignatureAnswer | Unset, data)

        withdrawn = _parse_withdrawn(rest.pop("withdrawn", UNSET))

        annotation_answer = cls(
            author=author,
            by_clinic=by_clinic,
            client=client,
            clinic=clinic,
            cohort=cohort,
            created_at=created_at,
            day=day,
            evidence=evidence,
            hypothesis=hypothesis,
            id=id,
            kind=kind,
            measures=measures,
            month=month,
            reason=reason,
            what=what,
            withdrawn=withdrawn,
        )

        annotation_answer.additional_properties = rest
        return annotation_answer

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
