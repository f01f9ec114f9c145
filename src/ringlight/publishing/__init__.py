"""Publishing cameras to other media servers (WHIP, RFC 9725)."""

from ringlight.publishing.publications import Publications

__all__ = ["Publications"]
