"""What an operator may decide of how the hub is reached."""

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.mark.conforms("A20", mutation="the base URL is http")
@pytest.mark.parametrize(
    "chosen",
    [
        {"base_url": "http://hub.example"},
        {"base_url": "http://10.0.0.7:8000"},
        {"base_url": "ftp://hub.example"},
        {"base_url": "hub.example"},
        {"host": "10.0.0.7"},
    ],
)
def test_a_hub_for_others_is_reached_by_https(chosen: dict):
    """Its tokens would travel in the open, and be made for such a URL."""
    with pytest.raises(ValidationError, match="https"):
        Settings(**chosen)


@pytest.mark.conforms("A20")
@pytest.mark.parametrize(
    ("chosen", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"host": "0.0.0.0"}, "http://localhost:8000"),
        ({"base_url": "http://localhost:9000/"}, "http://localhost:9000"),
        ({"base_url": "https://hub.example/pool/"}, "https://hub.example/pool"),
        (
            {"host": "10.0.0.7", "base_url": "https://hub.example"},
            "https://hub.example",
        ),
    ],
)
def test_a_hub_of_this_machine_may_do_without(chosen: dict, url: str):
    """A trial needs no certificate; in a container the machine is named localhost."""
    assert Settings(**chosen).public_base_url == url
