#!/usr/bin/env bash
# start.sh [FOLDER]: starts MinIO, Kafka and MLflow in the background and prints their addresses as lines NAME=value.
# stop.sh ends them. FOLDER (default: .services/run) holds the log, and which process it is.
#   test/servers/start.sh >stores.env && set -a && . ./stores.env
set -euo pipefail
here=$(dirname "$(realpath "$0")")
run=${1:-$here/../../.services/run}

mkdir -p "$run"
if [[ -f $run/pid ]] && kill -0 "$(<"$run/pid")" 2>/dev/null; then
  echo 'start: they are running already; test/servers/stop.sh ends them' >&2
  exit 1
fi
run=$(realpath "$run")
cd "$here/../.."
setsid node --import tsx test/servers/start.ts </dev/null >"$run/addresses" 2>"$run/log" &
echo $! >"$run/pid"
# The empty line after the addresses says that all are ready.
until grep -q '^$' "$run/addresses"; do
  if ! kill -0 "$(<"$run/pid")" 2>/dev/null; then
    cat "$run/log" >&2
    exit 1
  fi
  sleep 0.1
done
grep . "$run/addresses"
