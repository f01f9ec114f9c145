"""Ring's Partner API on this machine: `api.amazonvision.com`, its tokens, its media storage, its live view."""
