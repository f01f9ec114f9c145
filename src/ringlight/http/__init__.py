"""HTTP: requests as data, and the only place that sends them (the only importer of httpx2)."""
