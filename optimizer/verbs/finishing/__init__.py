"""What is done to a plan once it is found: what nobody would sign is taken out, and what is received is explained."""
