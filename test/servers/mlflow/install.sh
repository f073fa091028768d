#!/usr/bin/env bash
# MLflow's tracking server without what only its clients' other features import. Called as `python -m mlflow`, so that
# the environment works after its folder got its name. Compiled here: each start would take half a minute otherwise.
set -euo pipefail
folder=$1 requirements=$2 uv=$3

python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$uv"
UV_CACHE_DIR=$folder/cache "$folder/python/bin/uv" pip install --python "$folder/python/bin/python" \
  --compile-bytecode --no-deps --require-hashes -r "$requirements"
rm -rf "$folder/cache"
