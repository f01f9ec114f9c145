"""Probes: each looks at one thing and brings home evidence. None of them judges, and none changes anything."""
