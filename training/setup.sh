#!/usr/bin/env bash
# Makes a Python environment from hashed requirements. Needs Python 3.11 or later on x86-64 Linux; does nothing when nothing changed.
#   training/setup.sh             training/.venv, to train, evaluate and export
#   training/setup.sh registry    training/.venv-registry, to register and promote; small, without PyTorch
#   PYTHON=python3.12 training/setup.sh   chooses the interpreter
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

options=()
case "${1:-}" in
  '') venv=.venv requirements=requirements.txt ;;
  # Compiled at once: its commands run for a moment, and would spend most of it compiling.
  registry) venv=.venv-registry requirements=requirements-registry.txt options=(--compile-bytecode) ;;
  *) echo "setup.sh: expected registry or nothing, got $1" >&2 && exit 2 ;;
esac
python="${PYTHON:-python3}"
# The stamp is written last, so an interrupted install is never taken for a finished one. The paths in an environment are
# absolute: in a checkout that was moved or copied it is made again.
wanted="$PWD $("$python" --version) $(cat requirements-uv.txt "$requirements" | sha256sum)"
if [ -f "$venv/.stamp" ] && [ "$(cat "$venv/.stamp")" = "$wanted" ]; then
  exit 0
fi

rm -rf "$venv"
if ! "$python" -m venv "$venv" 2>/dev/null; then
  # Debian and Ubuntu ship Python without ensurepip.
  rm -rf "$venv"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends python3-venv
  "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes --no-deps "${options[@]}" -r "$requirements"
# `python -m gru_training` works from any folder.
"$venv/bin/python" -c 'import site, sys; open(site.getsitepackages()[0] + "/gru_training.pth", "w").write(sys.argv[1])' "$PWD/src"
printf '%s\n' "$wanted" > "$venv/.stamp"
