from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.add_annotation_body_kind import (
    AddAnnotationBodyKind,
    check_add_annotation_body_kind,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="AddAnnotationBody")


@_attrs_define
class AddAnnotationBody:
    """Something said or decided about charts.

    Texts hold nothing about a patient: what looks like an identifier is refused.

    """

    author: str
    """ Who says so: a name or a role. """
    kind: AddAnnotationBodyKind
    """ The last three decide about one measure's chart: a coordinator's. """
    month: str
    """ As 2026-03, of a test of change also 2026-03-15. The first month of a shift's new phase; the last one of a
    baseline. """
    reason: str
    """ Why. """
    clinic: None | str | Unset = UNSET
    """ The code of a clinic. """
    cohort: None | str | Unset = UNSET
    """ Of a cohort; neither: the network. """
    hypothesis: None | str | Unset = UNSET
    """ What it should do. """
    measures: list[str] | Unset = UNSET
    """ Ids; none: all measures. """
    what: None | str | Unset = UNSET
    """ What was changed. """

    def to_dict(self) -> dict[str, Any]:
        author = self.author

        kind: str = self.kind

        month = self.month

        reason = self.reason

        clinic: None | str | Unset
        if isinstance(self.clinic, Unset):
            clinic = UNSET
        else:
            clinic = self.clinic

        cohort: None | str | Unset
        if isinstance(self.cohort, Unset):
            cohort = UNSET
        else:
            cohort = self.cohort

        hypothesis: None | str | Unset
        if isinstance(self.hypothesis, Unset):
            hypothesis = UNSET
        else:
            hypothesis = self.hypothesis

        measures: list[str] | Unset = UNSET
        if not isinstance(self.measures, Unset):
            measures = self.measures

        what: None | str | Unset
        if isinstance(self.what, Unset):
            what = UNSET
        else:
            what = self.what

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "author": author,
                "kind": kind,
                "month": month,
                "reason": reason,
            }
        )
        if clinic is not UNSET:
            field_dict["clinic"] = clinic
        if cohort is not UNSET:
            field_dict["cohort"] = cohort
        if hypothesis is not UNSET:
            field_dict["hypothesis"] = hypothesis
        if measures is not UNSET:
            field_dict["measures"] = measures
        if what is not UNSET:
            field_dict["what"] = what

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        author = rest.pop("author")

        kind = check_add_annotation_body_kind(rest.pop("kind"))

        month = rest.pop("month")

        reason = rest.pop("reason")

        def _parse_clinic(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        clinic = _parse_clinic(rest.pop("clinic", UNSET))

        def _parse_cohort(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cohort = _parse_cohort(rest.pop("cohort", UNSET))

        def _parse_hypothesis(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hypothesis = _parse_hypothesis(rest.pop("hypothesis", UNSET))

        measures = cast(list[str], rest.pop("measures", UNSET))

        def _parse_what(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        what = _parse_what(rest.pop("what", UNSET))

        add_annotation_body = cls(
            author=author,
            kind=kind,
            month=month,
            reason=reason,
            clinic=clinic,
            cohort=cohort,
            hypothesis=hypothesis,
            measures=measures,
            what=what,
        )

        return add_annotation_body
