"""Logging in through another service, by OpenID Connect: code flow with PKCE, state and nonce."""
