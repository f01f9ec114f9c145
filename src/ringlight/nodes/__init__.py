"""Several servers (nodes) that show the same cameras: which of them holds a camera's session with Ring."""
