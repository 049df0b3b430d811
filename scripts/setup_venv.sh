#!/usr/bin/env bash
# Sourced by quickstart.sh and test.sh: `setup_venv FOLDER EXTRA` makes a virtual environment with KMI
# and one of its extras, CPU torch first. Does nothing where that has been done for this pyproject.toml.

TORCH_VERSION=2.13.0
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu

# Where this is set, as in many containers, every start of Python would compile torch anew.
unset PYTHONDONTWRITEBYTECODE

setup_venv() {
  local venv=$1 extra=$2 stamp want
  stamp="$venv/.kmi-$extra"
  want="$(cksum < pyproject.toml) torch $TORCH_VERSION"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    echo "environment $venv is ready"
  else
    make_venv "$venv"
    echo "installing CPU torch $TORCH_VERSION and KMI[$extra] into $venv (about 1.7 GB on disk, some minutes) ..."
    # The CPU index holds CPU-only wheels; --retries 0 loses no time on machines that cannot reach it.
    # Python compiles what it imports by itself, and keeps it; compiling all of it here takes a minute.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --retries 0 --extra-index-url "$TORCH_CPU_INDEX" "torch==$TORCH_VERSION" 2>/dev/null ||
      "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile "torch==$TORCH_VERSION"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --editable ".[$extra]"
    echo "$want" > "$stamp"
  fi
  # shellcheck disable=SC1091
  . "$venv/bin/activate"
}

make_venv() {
  local python
  python=$(find_python)
  if ! "$python" -m venv "$1" 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo "installing python3-venv ..."
      apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
      "$python" -m venv "$1"
    else
      echo "Python cannot make virtual environments here. On Debian: sudo apt-get install python3-venv" >&2
      exit 1
    fi
  fi
}

find_python() {
  local python
  for python in python3 python3.11 python3.12 python3.13; do
    if command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  echo "KMI needs Python 3.11 or newer; none was found on PATH. On Debian: sudo apt-get install python3" >&2
  exit 1
}
