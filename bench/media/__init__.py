"""The benchmark of the forwarder beside its peers; `bench/bench_forwarding.py` runs it."""
