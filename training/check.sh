#!/usr/bin/env bash
# Lint, types and tests of training/, from nothing: makes the environment when it is missing or its requirements changed.
# The tests read PobleSec.csv and PobleSec_test.csv from GRU_TRAINING_DATA (default: shared/data beside the repository; "none" does without).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./setup.sh
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/python" -m pytest "$@"
