"""Tables as a bureau keeps them, bound by a mapping file."""
