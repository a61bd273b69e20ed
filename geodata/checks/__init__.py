"""What tables must agree on, and whether places can be where they are said to be."""
