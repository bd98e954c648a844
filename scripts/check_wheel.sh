#!/usr/bin/env bash
# Build the source archive and, from it, the wheel; try the wheel as a user would have it: in an
# environment of its own, away from the checkout.
#
#   scripts/check_wheel.sh PYTHON     a Python that has the `build` package
set -euo pipefail

python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m build --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
wheel=$(echo "$work"/dist/*.whl)
echo "built $(basename "$wheel"), $(wc -c <"$wheel") bytes"

"$python" -m zipfile --list "$wheel" >"$work/names"
for name in multifidus/py.typed multifidus/_sample_data/README.md napari_multifidus/napari.yaml \
  multifidus/reporting/templates/report.html licenses/LICENSE multifidus/__init__.pyi \
  multifidus/phantom/__init__.pyi; do
  grep -q "$name" "$work/names" || { echo "the wheel lacks $name" >&2; exit 1; }
done
if grep -E '^(tests|benchmarks|docs|scripts|plugins)/' "$work/names"; then
  echo "the wheel holds what only the checkout needs" >&2
  exit 1
fi

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "$wheel"
cd "$work"
venv/bin/multifidus --help >/dev/null
venv/bin/multifidus demo -o demo
head -n 3 demo/measurements.csv
