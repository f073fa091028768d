# shellcheck shell=bash disable=SC2034
# What test/servers installs; each lies in .services/NAME-VERSION. test/support/servers reads this file too.
# The last state of MinIO's archived project: its release tags cannot be installed as a Go module.
MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
KAFKA=4.4.0
MLFLOW=3.17.2
# The generator of clients for Go; its neighbours for Python and TypeScript are pinned beside it.
OPENAPI=7.25.0
# Clients of the Open Inference Protocol that are programs; those for Python are pinned in clients-v2.
GRPCURL=v1.9.4
GHZ=v0.93.0
