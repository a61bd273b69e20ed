"""Planes under the spreads of units, in whole heads and rooms: of one resource, and of the sum of all."""
