#!/bin/sh
# Runs the few tests that failed while three processes and their browsers shared the machine once more, each alone, and
# says which they were. What fails again has failed; more than five that failed are no accident.
set -eu
python=$1
failed=.pytest_cache/v/cache/lastfailed
[ -f "$failed" ] || exit 1
count=$("$python" -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$failed")
[ "$count" -le 5 ] || exit 1
echo "once more, alone (look why they failed beside others):"
"$python" -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' "$failed"
exec "$python" -m pytest -q --last-failed --last-failed-no-failures none
