#!/bin/sh
# Installs the programs that the tests drive, or says in one line which are missing and how to get them.
# Used by `make test` and `make bench`. Exit 2 where they cannot be had.
set -eu
lacking() {
  missing=""
  for pair in chromium:chromium ffprobe:ffmpeg node:nodejs npm:npm ip:iproute2 curl:curl jq:jq \
    gst-launch-1.0:gstreamer1.0-tools gst-launch-1.0:gstreamer1.0-plugins-good; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
  done
  # Debian keeps PostgreSQL's programs out of the PATH, in a folder for each version.
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
  [ -n "$missing" ]
}
lacking || exit 0
if command -v apt-get >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi
  if $as_root true 2>/dev/null; then
    echo "Installing$missing ..." >&2
    $as_root apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || true
    lacking || exit 0
  fi
fi
echo "The tests need$missing. On Debian or Ubuntu: sudo apt-get install$missing" >&2
exit 2
