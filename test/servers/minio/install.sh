#!/usr/bin/env bash
# Builds MinIO from its Go module into the folder. Two gigabytes of caches come and go with it.
set -euo pipefail
folder=$1 version=$2

GOBIN=$folder GOPATH=$folder/path GOCACHE=$folder/cache CGO_ENABLED=0 GOFLAGS=-modcacherw \
  go install -trimpath -ldflags '-s -w' "github.com/minio/minio@$version"
rm -rf "$folder/path" "$folder/cache"
