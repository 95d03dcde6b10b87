"""Opening the hub: the texts and keys that the operator gave, made into what works."""

from collections.abc import Mapping

import httpx

from app.deid.policies import (
    Policy,
    PolicyText,
    ReportedMeasure,
    named_rules,
    parse_policy,
)
from app.deid.pseudonyms import KeyRing
from app.disclosure.audiences import Audiences, PeopleCounted, parse_audiences
from app.domain.errors import InvalidElementError
from app.domain.terminology import EXPECTED_VISITS, NETWORK
from app.measures.definitions import Measure, Scoring, coding_of
from app.measures.facts import canonical_units
from app.measures.libraries import parse_library
from app.measures.ranges import RANGES, parse_ranges, ranges_by_code
from app.measures.summary_checks import COUNT, summary_units
from app.measures.value_sets import listed
from app.services.authorization import Principals
from app.services.budgets import Budgets
from app.services.hub import Hub, is_local
from app.services.unanswered import unanswered
from app.smart.key_sets import KeySetCache
from app.smart.openid import OpenIdClient, Provider
from app.smart.outbound import Outbound
from app.smart.tokens import TokenReader, client_key_from, signing_key_from
from app.store.concepts import ConceptCache
from app.store.sessions import open_engine

__all__ = ["PolicyText", "named_rules", "open_hub"]

RETURN_PATH = "/sign-in/return"
"""Where the provider sends people back to."""


def open_hub(
    *,
    database_url: str,
    base_url: str,
    network: str,
    masters: Mapping[int, bytes],
    policy: PolicyText,
    measures: Mapping[str, str],
    audiences: str,
    budgets: Budgets,
    provider: Provider | None = None,
) -> Hub:
    """
    Return a hub on an open database; its schema is looked at elsewhere.

    Args:
        database_url: of SQLite or PostgreSQL.
        base_url: how clients reach the hub, without a slash at its end.
        network: the name that pseudonyms are made for.
        masters: the master keys by version, 32 bytes each.
        policy: the text of the de-identification policy, and of its rules.
        measures: the texts of the measure library by file name (YAML).
        audiences: the text of the audiences file (TOML).
        budgets: what each client may ask of this process.
        provider: where a clinic's people sign in, if they do.
    """
    engine = open_engine(database_url)
    library = parse_library(measures)
    current = max(masters)
    signing_key = signing_key_from(masters[current])
    keys = KeyRing(network=network, current=current, masters=masters)
    in_force = parse_policy(
        policy,
        network_codes=network_codes(library),
        reported=reported(library, base_url=base_url),
    )
    check_key(in_force, keys)
    read_by = parse_audiences(audiences)
    check_linkage(in_force, read_by)
    too_much = unanswered(library, in_force.keeping)
    return Hub(
        engine=engine,
        base_url=base_url,
        keys=keys,
        policy=in_force,
        measures=tuple(m for m in library if m.id not in too_much),
        unanswered=too_much,
        units={
            **summary_units(library),
            **canonical_units(library),
            EXPECTED_VISITS: COUNT,
        },
        ranges=ranges_by_code(parse_ranges(measures.get(RANGES, "{}"))),
        audiences=read_by,
        concepts=ConceptCache(engine),
        signing_key=signing_key,
        client_key=client_key_from(masters[current]),
        outbound=Outbound(dev_mode=is_local(base_url)),
        tokens=TokenReader(
            key=signing_key, issuer=base_url, audience=f"{base_url}/fhir"
        ),
        key_sets=KeySetCache(
            httpx.Client(follow_redirects=False, trust_env=False),
            dev_mode=is_local(base_url),
        ),
        principals=Principals(),
        budgets=budgets,
        openid=None if provider is None else _openid(provider, base_url=base_url),
    )


def _openid(provider: Provider, *, base_url: str) -> OpenIdClient:
    """Return the hub as a client of the provider that its operator trusts."""
    http = httpx.Client(follow_redirects=False, trust_env=False)
    return OpenIdClient(provider, http, redirect_uri=f"{base_url}{RETURN_PATH}")


def check_key(policy: Policy, keys: KeyRing) -> None:
    """Refuse a policy that binds itself to another key than names are made under."""
    if policy.terms.key_id not in {None, keys.current}:
        msg = (
            f"The policy is for key {policy.terms.key_id}, and names are made under key"
            f" {keys.current}: correct its key_id, or give the hub that key"
        )
        raise InvalidElementError(msg, expression="key_id")


def check_linkage(policy: Policy, audiences: Audiences) -> None:
    """Refuse de-duplicated counts without the links that they are made of."""
    if audiences.counts is PeopleCounted.DEDUPLICATED and not policy.terms.linkage:
        msg = "De-duplicated counts need `linkage = true` in the policy"
        raise InvalidElementError(msg, expression="members.counts")


def reported(
    measures: tuple[Measure, ...], *, base_url: str
) -> dict[str, ReportedMeasure]:
    """Return the measures that clinics report to the hub at *base_url*, by id."""
    return {
        measure.id: ReportedMeasure(
            base=f"{base_url}/fhir",
            version=measure.version,
            is_proportion=measure.scoring is Scoring.PROPORTION,
        )
        for measure in measures
        if measure.summary is not None and measure.summary.between is None
    }


def network_codes(measures: tuple[Measure, ...]) -> frozenset[str]:
    """Return the codes of the network's own that *measures* use, or the hub itself."""
    stated = {
        code
        for measure in measures
        for codes in (
            *measure.value_sets.values(),
            *(each.answers for each in measure.observables.values()),
        )
        for code in listed(codes)
    }
    codings = {EXPECTED_VISITS, *map(coding_of, stated)}
    return frozenset(coding.code for coding in codings if coding.system == NETWORK)
