"""The network alone: whole units, room, contiguous catchments."""
