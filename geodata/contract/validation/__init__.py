"""Tables as they were found, judged by their contracts."""
