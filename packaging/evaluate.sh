#!/usr/bin/env bash
# Reproduces the tables of our own results: make evaluate DATASET=NAME ROOT=DIR [TABLE=...] [ARGS=...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${ROOT:-}" ] || [ -z "${DATASET:-}" ]; then
    echo "Say which data set lies where: make evaluate DATASET=music4q ROOT=/path/to/music4q" >&2
    echo "More: .venv/bin/undertone evaluate --help" >&2
    exit 2
fi
.venv/bin/undertone evaluate "${TABLE:-controls}" --dataset "$DATASET" --root "$ROOT" ${ARGS:-}
