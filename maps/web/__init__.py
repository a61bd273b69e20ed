"""The proposal map: one page that asks nothing of the network."""
