"""What the OpenAPI document says of answers beside the expected ones."""

from typing import Any

from fastapi import FastAPI

from app.routers.answers import Problem, TokenProblem
from app.routers.outcomes import PROBLEM_JSON

JSON = "application/json"
SCHEMA_OF_PROBLEM = {"$ref": f"#/components/schemas/{Problem.__name__}"}

Responses = dict[int | str, dict[str, Any]]

_MEANINGS: dict[int | str, str] = {
    400: "A parameter is malformed or not supported",
    401: "No valid access token came with the request",
    403: "The token's scope does not cover this",
    404: "There is nothing of that name, or nothing released",
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


TOKEN_REFUSALS: Responses = {
    status: {"model": TokenProblem, "description": description}
    for status, description in (
        (400, "The request is malformed, or no scope that it asks for is allowed"),
        (401, "The client is not known or did not prove who it is"),
    )
}

TOKEN_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "title": "TokenRequest",
                    "type": "object",
                    "required": [
                        "grant_type",
                        "scope",
                        "client_assertion_type",
                        "client_assertion",
                    ],
                    "properties": {
                        "grant_type": {"const": "client_credentials"},
                        "scope": {
                            "type": "string",
                            "description": "SMART scopes with spaces between them.",
                        },
                        "client_assertion_type": {
                            "const": "urn:ietf:params:oauth:client-assertion-type:"
                            "jwt-bearer"
                        },
                        "client_assertion": {
                            "type": "string",
                            "description": "A JWT that the client signed "
                            "(RS384 or ES384), good for at most five minutes, once.",
                        },
                    },
                }
            }
        },
    }
}


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
