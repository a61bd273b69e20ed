"""Norms as data: TOML files of stages, bands, resources, indicators and rules, with their sources."""
