"""The fictional demonstration county Nanpu."""
