"""Who may do what: tokens out for assertions, principals out of tokens."""

import secrets
from collections.abc import Mapping

from app.domain.clinics import Principal, Source
from app.domain.errors import ForbiddenError, NotAuthenticatedError
from app.services.hub import Hub
from app.smart import scopes as smart_scopes
from app.smart.assertions import verify_client_assertion
from app.smart.errors import InvalidRequestError, UnsupportedGrantTypeError
from app.smart.registration import RegisteredClient
from app.smart.tokens import TOKEN_SECONDS, issue_token, read_token
from app.store import assertions, clinics, tables
from app.store.sessions import ReadSession, WriteSession, read_session
