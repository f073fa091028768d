#!/usr/bin/env bash
# secrets.sh: prints new random secrets for compose.yaml. `(umask 077 && ops/secrets.sh >.env)`
set -euo pipefail
for name in S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY ADMIN_TOKEN GRAFANA_ADMIN_PASSWORD; do
  printf '%s=%s\n' "$name" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
done
