#!/usr/bin/env bash
# rollback.sh: every running replica of compose.yaml goes back to the version before; the last line says how many did.
# Exits 1 if one did not.
set -euo pipefail
cd "$(dirname "$0")/.."

ask="fetch('http://127.0.0.1:' + process.env.ADMIN_PORT + '/admin/rollback', {
  method: 'POST', headers: { authorization: 'Bearer ' + process.env.ADMIN_TOKEN }
}).then(async answer => { console.log(await answer.text()); process.exit(answer.ok ? 0 : 1) })"

back=0 failed=0
for replica in $(docker compose ps --services --status running | grep '^replica-'); do
  printf '%s: ' "$replica"
  if docker compose exec -T "$replica" node -e "$ask"; then back=$((back + 1)); else failed=$((failed + 1)); fi
done
echo "$back back, $failed not"
((back > 0 && failed == 0))
