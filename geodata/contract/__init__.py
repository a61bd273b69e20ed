"""What a county's tables must be: columns, units, ranges, coordinates, settings, findings."""
