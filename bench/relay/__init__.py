"""The servers that are measured as relays of signaling, and the crowd that uses them."""
