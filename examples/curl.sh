#!/usr/bin/env bash
# The service by curl: a ping, one forecast, five steps, an error. Usage: examples/curl.sh [base URL]
set -euo pipefail

url=${1:-${SERVICE_URL:-http://127.0.0.1:8080}}
window=$(<"$(dirname "$0")/window.json")

predict() {
  curl -sS -H 'content-type: application/json' --data-binary @- "$url/predict" <<<"$1"
  echo
}

echo '# Is a model loaded, and how many rows does it want?'
curl -sS "$url/predict_ping"
echo

echo '# The row after the window'
predict "$window"

echo '# The next five rows'
predict "{\"inference_length\": 5, ${window#\{}"

echo '# An error names the element at fault'
predict "{\"inference_length\": 0, ${window#\{}"
