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
if ! command -v chromium chromium-browser google-chrome >/dev/null || ! fc-list 2>/dev/null | grep -qi nanum; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing chromium and fonts-nanum for the tests of the Space ..."
    apt-get update -qq && apt-get install -y -qq chromium fonts-nanum fontconfig >/dev/null 2>&1 || true
  fi
fi
if ! command -v chromium chromium-browser google-chrome >/dev/null; then
  echo "NOTE: no Chromium or Chrome was found, so the tests of the Space in a browser will be SKIPPED (tests/space/test_app.py)."
  echo "      On Debian: sudo apt-get install chromium fonts-nanum"
fi
echo "lint ..."
ruff check .
echo "tests ..."
python -m pytest -n 2 --dist loadfile -rs "$@"
