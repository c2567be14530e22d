# syntax=docker/dockerfile:1

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY patches ./patches
# Left out: the embedded Postgres, because the image demands DATABASE_URL, and the second Node that
# the npm package `node` would fetch; both are optional. Of all the scripts only our own is needed,
# which mends the database driver; the tool for it goes with the other ones of development.
RUN npm ci --omit=optional --ignore-scripts \
    && node_modules/.bin/patch-package --error-on-fail \
    && npm prune --omit=dev --omit=optional --ignore-scripts

# The portal's page. What builds it has native parts, which are optional packages of its own, so none
# may be left out here.
FROM node:24.21.0-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY scripts/portal.ts ./scripts/
COPY vite.config.ts ./
COPY src ./src
RUN node scripts/portal.ts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE openapi.yaml ./
COPY drizzle ./drizzle
COPY src ./src
COPY --from=page /app/dist/page ./dist/page
# The files belong to root: the process can read its own code and not change it.
USER node
# The API; and /metrics without a key, where TIDEGATE_METRICS_ADDRESS is set as ops/ does.
EXPOSE 8080 9464
# Alive, not ready: a process that has lost its database recovers by itself, and a restart would
# only drop the streams it holds. /readyz is for a balancer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1 and handles SIGTERM: it stops accepting, hands over and drains.
ENTRYPOINT ["node", "src/main.ts"]
