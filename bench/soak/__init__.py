"""A long run of real servers with everything that they do and everything that goes wrong, and what is left of it."""
