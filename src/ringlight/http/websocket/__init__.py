"""WebSockets without detours: a codec, the handshake, and a protocol class that uvicorn hands its sockets to."""
