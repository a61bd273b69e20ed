"""Stress: how a plan fares in futures that differ from the county's tables."""
