"""What may turn out differently, one record a factor."""
