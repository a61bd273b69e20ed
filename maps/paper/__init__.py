"""Maps for meetings, which happen on paper: A3 sheets made without a network, readable in grey."""
