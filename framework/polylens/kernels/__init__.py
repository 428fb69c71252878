"""Inner loops compiled by Numba: arrays in, arrays filled in place. Compiled once, then kept on disk."""
