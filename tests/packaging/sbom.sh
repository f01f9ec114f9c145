#!/bin/sh
# Writes the bill of materials (CycloneDX 1.6, JSON) of what is installed for a Python.
# Usage: sbom.sh PYTHON OUT
set -eu
exec "$(dirname "$0")/../../.venv/bin/cyclonedx-py" environment --pyproject pyproject.toml --mc-type application \
  --spec-version 1.6 --output-reproducible --of JSON -o "$2" "$1"
