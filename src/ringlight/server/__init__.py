"""The server: the page, WHEP, the cameras and the catalogue over HTTP. Routes translate and delegate."""
