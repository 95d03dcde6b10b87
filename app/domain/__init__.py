"""The words everyone shares; depends on nothing."""
