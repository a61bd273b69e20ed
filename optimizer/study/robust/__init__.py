"""Robust: decisions in common for many futures, the rest decided in each."""
