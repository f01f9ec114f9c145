"""Ring's official Partner API: a typed client that survives what happens to APIs."""
