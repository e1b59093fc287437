#!/usr/bin/env bash
# Builds the wheel, installs it into a clean environment outside the checkout, and uses it there:
# what works from a wheel has its resources inside and reads nothing from the checkout.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A copy is built, so that no build folder of the checkout can add or hide a file.
mkdir "$work/source"
(cd "$root" && tar -c --exclude='__pycache__' --exclude='*.egg-info' app widgets inference library_db \
    resources pyproject.toml README.md LICENSE) | tar -x -C "$work/source"
"$python" -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation \
    -w "$work/dist" "$work/source"

# The dependencies are borrowed from .venv by a .pth file; the checkout's editable install is not,
# since a .pth file of a folder that is added by a .pth file is not read.
"$python" -m venv --without-pip "$work/venv"
"$python" -m pip --disable-pip-version-check --python "$work/venv/bin/python" install --quiet \
    --no-deps --no-index "$work"/dist/undertone-*.whl
site=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/dependencies.pth"

cd "$work"
export UNDERTONE_HOME=$work/home QT_QPA_PLATFORM=offscreen
unset PYTHONPATH
undertone=$work/venv/bin/undertone
"$work/venv/bin/python" - "$work" <<'CODE'
import sys
from pathlib import Path
import app, inference, library_db, resources, widgets
from app.demo import make_demo_library
work = Path(sys.argv[1])
for package in (app, inference, library_db, resources, widgets):
    assert work in Path(package.__file__).parents, f"{package.__name__} is not the wheel's"
song = make_demo_library(work / "demo", limit=1)[0]
(work / "song.txt").write_text(str(song))
CODE
"$undertone" --help >"$work/help.txt"
grep -q tag "$work/help.txt"
"$undertone" doctor --json >"$work/doctor.json" || [ $? -eq 1 ] # 1: something is missing here
"$undertone" tag "$(cat "$work/song.txt")" --jsonl "$work/tag.jsonl"
"$work/venv/bin/python" - "$work" <<'CODE'
import json, math, sys
from pathlib import Path
work = Path(sys.argv[1])
assert isinstance(json.loads((work / "doctor.json").read_text("utf-8")), dict)
[row] = [json.loads(line) for line in (work / "tag.jsonl").read_text("utf-8").splitlines()]
assert row["error"] is None, row
assert math.isclose(sum(row["probabilities"].values()), 1.0, abs_tol=1e-3), row
print(f"wheel: {Path(row['path']).name} is {row['quadrant']}, by {row['model']}")
CODE
