#!/bin/sh
# Installs the programs that the tests drive, or says in one line which are missing and how to get them.
# Used by `make test` and `make bench`. Exit 2 where they cannot be had.
set -eu
lacking() {
  missing=""
  for pair in chromium:chromium ffprobe:ffmpeg node:nodejs npm:npm ip:iproute2 curl:curl jq:jq redis-server:redis-server \
    mosquitto:mosquitto turnserver:coturn iptables:iptables firefox-esr:firefox-esr go:golang-go caddy:caddy \
    gst-launch-1.0:gstreamer1.0-tools gst-launch-1.0:gstreamer1.0-plugins-good; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
  done
  # Not in everybody's PATH.
  [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
  # Debian keeps PostgreSQL's programs out of the PATH, in a folder for each version.
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
  # GStreamer is driven by Debian's own Python: what counts are files of these packages.
  for pair in \
    python3/dist-packages/gi/overrides/Gst.py:python3-gst-1.0 \
    '*/girepository-1.0/GstWebRTC-1.0.typelib:gir1.2-gst-plugins-bad-1.0' \
    '*/gstreamer-1.0/libgstwebrtc.so:gstreamer1.0-plugins-bad' \
    '*/gstreamer-1.0/libgstrtp.so:gstreamer1.0-plugins-good' \
    '*/gstreamer-1.0/libgstopus.so:gstreamer1.0-plugins-base' \
    '*/gstreamer-1.0/libgstnice.so:gstreamer1.0-nice' \
    '*/gstreamer-1.0/libgstlibav.so:gstreamer1.0-libav'; do
    # shellcheck disable=SC2086
    ls /usr/lib/${pair%%:*} >/dev/null 2>&1 || missing="$missing ${pair##*:}"
  done
  [ -f /usr/share/gocode/src/github.com/pion/webrtc/go.mod ] || missing="$missing golang-github-pion-webrtc.v3-dev"
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
