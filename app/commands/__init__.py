"""The commands of `catchment` that have a subject of their own."""
