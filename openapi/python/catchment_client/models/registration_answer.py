from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.registration_answer_jwks_type_0 import RegistrationAnswerJwksType0


T = TypeVar("T", bound="RegistrationAnswer")


@_attrs_define
class RegistrationAnswer:
    """A client as it was registered (RFC 7591 section 3.2.1)."""

    client_id: str
    client_id_issued_at: int
    client_name: str
    contacts: list[str]
    grant_types: list[str]
    scope: str
    token_endpoint_auth_method: str
    client_secret: None | str | Unset = UNSET
    client_secret_expires_at: int | None | Unset = UNSET
    jwks: None | RegistrationAnswerJwksType0 | Unset = UNSET
    jwks_uri: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.registration_answer_jwks_type_0 import RegistrationAnswerJwksType0  # noqa: PLC0415

        client_id = self.client_id

        client_id_issued_at = self.client_id_issued_at

        client_name = self.client_name

        contacts = self.contacts

        grant_types = self.grant_types

        scope = self.scope

        token_endpoint_auth_method = self.token_endpoint_auth_method

        client_secret: None | str | Unset
        if isinstance(self.client_secret, Unset):
            client_secret = UNSET
        else:
            client_secret = self.client_secret

        client_secret_expires_at: int | None | Unset
        if isinstance(self.client_secret_expires_at, Unset):
            client_secret_expires_at = UNSET
        else:
            client_secret_expires_at = self.client_secret_expires_at

        jwks: dict[str, Any] | None | Unset
        if isinstance(self.jwks, Unset):
            jwks = UNSET
        elif isinstance(self.jwks, RegistrationAnswerJwksType0):
            jwks = self.jwks.to_dict()
        else:
            jwks = self.jwks

        jwks_uri: None | str | Unset
        if isinstance(self.jwks_uri, Unset):
            jwks_uri = UNSET
        else:
            jwks_uri = self.jwks_uri

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "client_id": client_id,
                "client_id_issued_at": client_id_issued_at,
                "client_name": client_name,
                "contacts": contacts,
                "grant_types": grant_types,
                "scope": scope,
                "token_endpoint_auth_method": token_endpoint_auth_method,
            }
        )
        if client_secret is not UNSET:
            field_dict["client_secret"] = client_secret
        if client_secret_expires_at is not UNSET:
            field_dict["client_secret_expires_at"] = client_secret_expires_at
        if jwks is not UNSET:
            field_dict["jwks"] = jwks
        if jwks_uri is not UNSET:
            field_dict["jwks_uri"] = jwks_uri

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.registration_answer_jwks_type_0 import RegistrationAnswerJwksType0  # noqa: PLC0415

        rest = dict(src_dict)
        client_id = rest.pop("client_id")

        client_id_issued_at = rest.pop("client_id_issued_at")

        client_name = rest.pop("client_name")

        contacts = cast(list[str], rest.pop("contacts"))

        grant_types = cast(list[str], rest.pop("grant_types"))

        scope = rest.pop("scope")

        token_endpoint_auth_method = rest.pop("token_endpoint_auth_method")

        def _parse_client_secret(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        client_secret = _parse_client_secret(rest.pop("client_secret", UNSET))

        def _parse_client_secret_expires_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        client_secret_expires_at = _parse_client_secret_expires_at(
            rest.pop("client_secret_expires_at", UNSET)
        )

        def _parse_jwks(data: object) -> None | RegistrationAnswerJwksType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                jwks_type_0 = RegistrationAnswerJwksType0.from_dict(data)

                return jwks_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RegistrationAnswerJwksType0 | Unset, data)

        jwks = _parse_jwks(rest.pop("jwks", UNSET))

        def _parse_jwks_uri(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        jwks_uri = _parse_jwks_uri(rest.pop("jwks_uri", UNSET))

        registration_answer = cls(
            client_id=client_id,
            client_id_issued_at=client_id_issued_at,
            client_name=client_name,
            contacts=contacts,
            grant_types=grant_types,
            scope=scope,
            token_endpoint_auth_method=token_endpoint_auth_method,
            client_secret=client_secret,
            client_secret_expires_at=client_secret_expires_at,
            jwks=jwks,
            jwks_uri=jwks_uri,
        )

        registration_answer.additional_properties = rest
        return registration_answer

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
