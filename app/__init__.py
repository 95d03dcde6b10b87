"""Catchment: the data hub of a learning health network."""
