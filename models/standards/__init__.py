"""Norms as data: TOML files of rules and indicators, with source and evidence tag."""
