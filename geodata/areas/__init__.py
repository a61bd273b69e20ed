"""Zones, catchments and service areas as ground."""
