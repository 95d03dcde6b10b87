from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="IntrospectTokenTokenForm")


@_attrs_define
class IntrospectTokenTokenForm:
    token: str
    """ An access token. """
    client_assertion: str | Unset = UNSET
    """ A JWT that the client signed (RS384 or ES384), good for at most five minutes, once. """
    client_assertion_type: (
        Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] | Unset
    ) = UNSET
    client_id: str | Unset = UNSET
    client_secret: str | Unset = UNSET
    """ Of a client that registered client_secret_post; client_secret_basic goes into the Authorization header. """
    token_type_hint: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        token = self.token

        client_assertion = self.client_assertion

        client_assertion_type = self.client_assertion_type

        client_id = self.client_id

        client_secret = self.client_secret

        token_type_hint = self.token_type_hint

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "token": token,
            }
        )
        if client_assertion is not UNSET:
            field_dict["client_assertion"] = client_assertion
        if client_assertion_type is not UNSET:
            field_dict["client_assertion_type"] = client_assertion_type
        if client_id is not UNSET:
            field_dict["client_id"] = client_id
        if client_secret is not UNSET:
            field_dict["client_secret"] = client_secret
        if token_type_hint is not UNSET:
            field_dict["token_type_hint"] = token_type_hint

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        token = rest.pop("token")

        client_assertion = rest.pop("client_assertion", UNSET)

        client_assertion_type = cast(
            Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] | Unset,
            rest.pop("client_assertion_type", UNSET),
        )
        if (
            client_assertion_type
            != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            and not isinstance(client_assertion_type, Unset)
        ):
            raise ValueError(
                f"client_assertion_type must match const 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', got '{client_assertion_type}'"
            )

        client_id = rest.pop("client_id", UNSET)

        client_secret = rest.pop("client_secret", UNSET)

        token_type_hint = rest.pop("token_type_hint", UNSET)

        introspect_token_token_form = cls(
            token=token,
            client_assertion=client_assertion,
            client_assertion_type=client_assertion_type,
            client_id=client_id,
            client_secret=client_secret,
            token_type_hint=token_type_hint,
        )

        introspect_token_token_form.additional_properties = rest
        return introspect_token_token_form

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
