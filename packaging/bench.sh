#!/usr/bin/env bash
# Runs every benchmark; each prints its figures and writes them to results/ with the command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0
for benchmark in benchmarks/[!_]*.py; do
    name=$(basename "$benchmark" .py)
    echo "--- $name"
    .venv/bin/python -m "benchmarks.$name" --out results ${ARGS:-} || failed=1
done
exit $failed
