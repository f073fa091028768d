#!/usr/bin/env bash
# Clients of the Open Inference Protocol that are programs: grpcurl and ghz, built from their Go modules, and Triton's perf_analyzer, which
# wants a newer C library than Debian 12 has. That of Debian 13 is unpacked beside it, and bin/perf_analyzer starts it with that.
set -euo pipefail
folder=$1 grpcurl=$2 ghz=$3 requirements=$4

export GOBIN=$folder/bin GOPATH=$folder/path GOCACHE=$folder/cache CGO_ENABLED=0 GOFLAGS=-modcacherw
go install -trimpath -ldflags '-s -w' "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl"
go install -trimpath -ldflags '-s -w' "github.com/bojand/ghz/cmd/ghz@$ghz"
rm -rf "$folder/path" "$folder/cache"

perf=$folder/perf_analyzer
mkdir -p "$perf/debian/lists/partial" "$perf/debian/archives/partial"
python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
  --platform manylinux_2_38_x86_64 -r "$requirements" -d "$perf"
python3 -m zipfile -e "$perf"/*.whl "$perf"
rm "$perf"/*.whl
chmod +x "$perf/perf_analyzer/bin/perf_analyzer"

# The host's own source of packages, of the next release: apt checks the signatures.
sources=/etc/apt/sources.list.d/debian.sources
[[ -f $sources ]] || sources=/etc/apt/sources.list
trixie=$perf/debian/trixie.${sources##*.}
sed 's/bookworm/trixie/g' "$sources" >"$trixie"
apt=(-o "Dir::Etc::sourcelist=$trixie" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$perf/debian/lists"
  -o "Dir::Cache::archives=$perf/debian/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update -qq
(cd "$perf/debian" && apt-get "${apt[@]}" download -qq libc6 libstdc++6 libgcc-s1)
for package in "$perf"/debian/*.deb; do dpkg-deb -x "$package" "$perf/root"; done
rm -rf "$perf/debian"

cat >"$folder/bin/perf_analyzer" <<'SCRIPT'
#!/usr/bin/env bash
perf=$(dirname "$(readlink -f "$0")")/../perf_analyzer
libraries=$(find "$perf/root" -name 'libc.so.6' -o -name 'libstdc++.so.6' | xargs -n1 dirname | sort -u | paste -sd:)
exec "$(find "$perf/root" -name 'ld-linux-x86-64.so.2' | head -1)" --library-path "$libraries" \
  "$perf/perf_analyzer/bin/perf_analyzer" "$@"
SCRIPT
chmod +x "$folder/bin/perf_analyzer"
