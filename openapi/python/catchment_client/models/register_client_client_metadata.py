from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.register_client_client_metadata_token_endpoint_auth_method import (
    RegisterClientClientMetadataTokenEndpointAuthMethod,
    check_register_client_client_metadata_token_endpoint_auth_method,
)
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.register_client_client_metadata_jwks import (
        RegisterClientClientMetadataJwks,
    )


T = TypeVar("T", bound="RegisterClientClientMetadata")


@_attrs_define
class RegisterClientClientMetadata:
    scope: str
    client_name: str | Unset = UNSET
    contacts: list[str] | Unset = UNSET
    grant_types: list[str] | Unset = UNSET
    jwks: RegisterClientClientMetadataJwks | Unset = UNSET
    jwks_uri: str | Unset = UNSET
    token_endpoint_auth_method: (
        RegisterClientClientMetadataTokenEndpointAuthMethod | Unset
    ) = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        scope = self.scope

        client_name = self.client_name

        contacts: list[str] | Unset = UNSET
        if not isinstance(self.contacts, Unset):
            contacts = self.contacts

        grant_types: list[str] | Unset = UNSET
        if not isinstance(self.grant_types, Unset):
            grant_types = self.grant_types

        jwks: dict[str, Any] | Unset = UNSET
        if not isinstance(self.jwks, Unset):
            jwks = self.jwks.to_dict()

        jwks_uri = self.jwks_uri

        token_endpoint_auth_method: str | Unset = UNSET
        if not isinstance(self.token_endpoint_auth_method, Unset):
            token_endpoint_auth_method = self.token_endpoint_auth_method

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "scope": scope,
            }
        )
        if client_name is not UNSET:
            field_dict["client_name"] = client_name
        if contacts is not UNSET:
            field_dict["contacts"] = contacts
        if grant_types is not UNSET:
            field_dict["grant_types"] = grant_types
        if jwks is not UNSET:
            field_dict["jwks"] = jwks
        if jwks_uri is not UNSET:
            field_dict["jwks_uri"] = jwks_uri
        if token_endpoint_auth_method is not UNSET:
            field_dict["token_endpoint_auth_method"] = token_endpoint_auth_method

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.register_client_client_metadata_jwks import (
            RegisterClientClientMetadataJwks,  # noqa: PLC0415
        )

        rest = dict(src_dict)
        scope = rest.pop("scope")

        client_name = rest.pop("client_name", UNSET)

        contacts = cast(list[str], rest.pop("contacts", UNSET))

        grant_types = cast(list[str], rest.pop("grant_types", UNSET))

        _jwks = rest.pop("jwks", UNSET)
        jwks: RegisterClientClientMetadataJwks | Unset
        if isinstance(_jwks, Unset):
            jwks = UNSET
        else:
            jwks = RegisterClientClientMetadataJwks.from_dict(_jwks)

        jwks_uri = rest.pop("jwks_uri", UNSET)

        _token_endpoint_auth_method = rest.pop("token_endpoint_auth_method", UNSET)
        token_endpoint_auth_method: (
            RegisterClientClientMetadataTokenEndpointAuthMethod | Unset
        )
        if isinstance(_token_endpoint_auth_method, Unset):
            token_endpoint_auth_method = UNSET
        else:
            token_endpoint_auth_method = (
                check_register_client_client_metadata_token_endpoint_auth_method(
                    _token_endpoint_auth_method
                )
            )

        register_client_client_metadata = cls(
            scope=scope,
            client_name=client_name,
            contacts=contacts,
            grant_types=grant_types,
            jwks=jwks,
            jwks_uri=jwks_uri,
            token_endpoint_auth_method=token_endpoint_auth_method,
        )

        register_client_client_metadata.additional_properties = rest
        return register_client_client_metadata

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
