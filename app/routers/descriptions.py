"""What the OpenAPI document says of answers beside the expected ones."""

from typing import Any

from fastapi import FastAPI

from app.routers.answers import Problem
from app.routers.oauth_answers import TokenProblem
from app.routers.outcomes import PROBLEM_JSON
from app.smart.vocabulary import ASSERTION_TYPE, GRANT_TYPE, AuthMethod

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SCHEMA_OF_PROBLEM = {"$ref": f"#/components/schemas/{Problem.__name__}"}

Responses = dict[int | str, dict[str, Any]]

_MEANINGS: dict[int | str, str] = {
    400: "A parameter is malformed or not supported",
    401: "No valid access token came with the request",
    403: "The token's scope does not cover this",
    404: "There is nothing of that name, or nothing released",
    409: "It was done already",
    413: "The body is larger than 64 kB",
    415: "The body is not JSON",
    422: "An element of the body is missing or not fit; it is named",
    429: "The budget of the client is spent; Retry-After says for how long",
    "default": "The hub failed, or is too busy now",
}


def problem_responses(*statuses: int | str) -> Responses:
    """
    Return the description of errors by their statuses.

    With ``default`` among them FastAPI adds no 422 of its own, which is never answered.
    """
    return {
        status: {"model": Problem, "description": _MEANINGS[status]}
        for status in statuses
    }


def _oauth_responses(descriptions: dict[int, str]) -> Responses:
    return {
        status: {"model": TokenProblem, "description": description}
        for status, description in descriptions.items()
    }


OAUTH_REFUSALS: Responses = _oauth_responses(
    {
        400: "The request is malformed, or asks for what is not allowed",
        401: "The client is not known or did not prove who it is",
    }
)

REGISTRATION_REFUSALS: Responses = _oauth_responses(
    {
        400: "What the client says of itself is not fit",
        413: "The body is larger than 64 kB",
        429: "Too many registrations wait for approval",
    }
)

_AUTHENTICATION: dict[str, Any] = {
    "client_assertion_type": {"const": ASSERTION_TYPE},
    "client_assertion": {
        "type": "string",
        "description": "A JWT that the client signed (RS384 or ES384), "
        "good for at most five minutes, once.",
    },
    "client_id": {"type": "string"},
    "client_secret": {
        "type": "string",
        "description": "Of a client that registered client_secret_post; "
        "client_secret_basic goes into the Authorization header.",
    },
}


def _body(
    title: str,
    media_type: str,
    *,
    required: list[str],
    properties: dict[str, Any],
) -> dict[str, Any]:
    """Return the description of a body that no model of FastAPI's reads."""
    schema = {
        "title": title,
        "type": "object",
        "required": required,
        "properties": properties,
    }
    content = {media_type: {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


TOKEN_REQUEST = _body(
    "TokenRequest",
    FORM,
    required=["grant_type", "scope"],
    properties={
        "grant_type": {"const": GRANT_TYPE},
        "scope": {
            "type": "string",
            "description": "SMART scopes with spaces between them.",
        },
        **_AUTHENTICATION,
    },
)

TOKEN_FORM = _body(
    "TokenForm",
    FORM,
    required=["token"],
    properties={
        "token": {"type": "string", "description": "An access token."},
        "token_type_hint": {"type": "string"},
        **_AUTHENTICATION,
    },
)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}

REGISTRATION_REQUEST = _body(
    "ClientMetadata",
    JSON,
    required=["scope"],
    properties={
        "client_name": _TEXT,
        "token_endpoint_auth_method": {"enum": list(AuthMethod), "type": "string"},
        "jwks": {"type": "object"},
        "jwks_uri": _TEXT,
        "scope": _TEXT,
        "grant_types": _TEXTS,
        "contacts": _TEXTS,
    },
)


def describe_problems(app: FastAPI) -> None:
    """Let the OpenAPI document give problems the media type in which they are sent."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        document = plain()
        for path in document["paths"].values():
            for operation in path.values():
                for response in operation["responses"].values():
                    _describe(response)
        return document

    app.openapi = described  # type: ignore[method-assign]  # FastAPI has no other way


def _describe(response: dict[str, Any]) -> None:
    content = response.get("content", {})
    if content.get(JSON, {}).get("schema") == SCHEMA_OF_PROBLEM:
        response["content"] = {PROBLEM_JSON: content[JSON]}
