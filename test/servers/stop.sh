#!/usr/bin/env bash
# stop.sh [FOLDER]: ends what start.sh started, and waits for it. Does nothing where nothing runs.
set -euo pipefail
run=${1:-$(dirname "$(realpath "$0")")/../../.services/run}

[[ -f $run/pid ]] || exit 0
pid=$(<"$run/pid")
# The number may belong to another program by now.
if [[ -r /proc/$pid/cmdline ]] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q 'test/servers/start.ts'; then
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
rm -f "$run/pid"
