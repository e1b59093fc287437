#!/usr/bin/env bash
# Runs every benchmark; each prints its figures and writes them to results/ with the command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for benchmark in benchmarks/*.py; do
    case $(basename "$benchmark") in _*) continue ;; esac
    echo "--- $benchmark"
    .venv/bin/python "$benchmark" ${ARGS:-}
done
