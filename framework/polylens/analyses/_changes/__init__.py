"""A network run with changed activations: what follows from that, and how it looks."""
