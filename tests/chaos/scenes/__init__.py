"""Where cells play: a person's own Ring, a house of linked cameras, a room's page, and what is asked of each."""
