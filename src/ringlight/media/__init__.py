"""Media: what carries pictures and sound, from the camera's packets to a browser, a file or a still."""
