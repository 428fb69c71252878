"""Inner loops compiled by Numba: arrays in, arrays filled in place. Compiled once, then kept on disk.

Nothing here checks its arguments: the rooms that call these functions do.
"""
