#!/usr/bin/env bash
# Sets up an environment, then lint and tests. Safe to run again.
#   bash scripts/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup_venv.sh
setup_venv .venv dev

export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1
if [ -z "${KMI_ANNOMI:-}" ]; then
  echo "NOTE: KMI_ANNOMI is not set, so tests that need AnnoMI will be SKIPPED."
  echo "      python scripts/prepare_annomi.py --out annomi && export KMI_ANNOMI=annomi"
fi
echo "lint ..."
ruff check .
echo "tests ..."
python -m pytest -n 2 --dist loadfile -rs "$@"
