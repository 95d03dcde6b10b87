from typing import Literal

RegisterClientClientMetadataTokenEndpointAuthMethod = Literal[
    "client_secret_basic", "client_secret_post", "private_key_jwt"
]

REGISTER_CLIENT_CLIENT_METADATA_TOKEN_ENDPOINT_AUTH_METHOD_VALUES: set[
    RegisterClientClientMetadataTokenEndpointAuthMethod
] = {
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
}


def check_register_client_client_metadata_token_endpoint_auth_method(
    value: str,
) -> RegisterClientClientMetadataTokenEndpointAuthMethod:
    if value in REGISTER_CLIENT_CLIENT_METADATA_TOKEN_ENDPOINT_AUTH_METHOD_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REGISTER_CLIENT_CLIENT_METADATA_TOKEN_ENDPOINT_AUTH_METHOD_VALUES!r}"
    )
