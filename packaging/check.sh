#!/usr/bin/env bash
# Runs the checks of `make test` (all) or `make lint` (lint); each one runs, whatever failed before.
#
# Style and types run beside the test suite, which mostly leaves the second core idle.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
bin=$PWD/.venv/bin
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=()

step() { # step NAME COMMAND...
    local name=$1 began=$SECONDS state=ok
    shift
    "$@" || state=FAILED
    printf '%s\n' "--- $name: $state ($((SECONDS - began)) s)"
    if [ "$state" != ok ]; then echo "$name" >>"$logs/failed"; fi
}

lint() {
    step "ruff check" "$bin/ruff" check .
    step "ruff format" "$bin/ruff" format --check .
    step "import-linter" "$bin/lint-imports" --no-logo
    if "$bin/python" -c 'import torch' 2>/dev/null; then
        step "mypy" "$bin/mypy"
    else
        echo "--- mypy: skipped, since it needs torch's types (TRAINING=0 left torch out)"
    fi
}

if [ "${1:-all}" = lint ]; then
    lint
else
    lint >"$logs/lint" 2>&1 &
    step "pytest" "$bin/python" -m pytest -q -n 3 --dist loadfile --durations=15 ${PYTEST_ARGS:-}
    wait
    cat "$logs/lint"
    step "wheel" packaging/wheel_test.sh
fi

if [ -e "$logs/failed" ]; then
    mapfile -t failed <"$logs/failed"
    printf 'FAILED: %s\n' "${failed[*]}"
    exit 1
fi
echo "all checks passed"
