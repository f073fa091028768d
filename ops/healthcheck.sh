#!/usr/bin/env bash
# healthcheck.sh ADDRESS/PORT PATH: exits 0 if a GET is answered 200. For images that have bash and no HTTP client.
set -euo pipefail
exec 3<>"/dev/tcp/$1"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r -t 3 _ status _ <&3
[[ $status == 200 ]]
