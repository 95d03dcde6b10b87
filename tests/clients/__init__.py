"""Clients that none of us wrote, in front of a hub that is served as to them."""
