#!/usr/bin/env bash
# Generators of clients from an OpenAPI description: for TypeScript from npm, for Go (and many others) from Maven Central.
set -euo pipefail
folder=$1 packages=$2 lock=$3 project=$4

mkdir "$folder/typescript"
cp "$packages" "$lock" "$folder/typescript"
npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$folder/typescript"

mvn --batch-mode --quiet --strict-checksums -f "$project" -Dmaven.repo.local="$folder/repository" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -Dmdep.stripVersion=true -DoutputDirectory="$folder/java"
rm -rf "$folder/repository"
