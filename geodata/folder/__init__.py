"""A county on disk: read, written as a template, given back with its problems marked."""
