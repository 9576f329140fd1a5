"""One script for each peer, run in that peer's own environment, and the table of them."""
