"""RTSP: a camera's shared view for video recorders and players that know no WebRTC (RFC 2326)."""
