#!/usr/bin/env bash
# Kafka's broker and what it needs, as jars from Maven Central.
set -euo pipefail
folder=$1 project=$2

mvn --batch-mode --quiet --strict-checksums -f "$project" -Dmaven.repo.local="$folder/repository" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$folder/lib"
rm -rf "$folder/repository"
