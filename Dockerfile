# The service: Node, what it needs in production, and nothing to build with. Its target `training` has the commands that register
# and promote, which run the service's own check. ops/ holds what else runs beside it.
FROM node:22.23.3-bookworm-slim AS node
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM node AS build
RUN npm ci
COPY scripts/build.mjs scripts/
COPY src src
RUN npm run build

# onnxruntime's package holds every platform: that of this image is kept. .npmrc has install scripts off.
FROM node AS packages
ARG TARGETARCH=amd64
RUN npm ci --omit=dev
WORKDIR /app/node_modules/onnxruntime-node/bin/napi-v6
RUN case "$TARGETARCH" in amd64) other=arm64 ;; arm64) other=x64 ;; *) exit 1 ;; esac \
  && rm -r darwin win32 "linux/$other"

FROM python:3.11.13-slim-bookworm AS training
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app/training/src
RUN useradd --system --uid 10003 --no-create-home --shell /usr/sbin/nologin python
WORKDIR /app
COPY training/requirements-registry.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements-registry.txt
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY training/src training/src
COPY models/gru models/gru
COPY ops/stores ops/stores
COPY --from=build /app/dist dist
USER 10003:10003
ENTRYPOINT ["python"]

# Not Node's image: that has npm and yarn. The shell is for the limits of the process that tries a new model.
FROM debian:12.11-slim
# A new volume takes over who owns the folder that it is mounted at.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gru && install -d -m 700 -o gru -g gru /cache
WORKDIR /app
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY models/gru models/gru
COPY ops/healthcheck.mjs ops/
COPY --from=build /app/dist dist
USER 10001:10001
# What malloc is told lets promotions give back their memory (src/host/malloc.ts).
ENV HOST=0.0.0.0 PORT=8080 NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/app/ops/healthcheck.mjs", "http://127.0.0.1:8080/readyz"]
# Node itself is process 1, so that it gets the signals.
ENTRYPOINT ["node", "/app/dist/main.js"]
