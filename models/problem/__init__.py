"""A county and a request as the sets and data of the mathematics."""
