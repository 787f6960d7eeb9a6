# The API and the worker, in one image. Node runs the sources as they are: nothing is built.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No dependency needs its script here: the package `node` would fetch a second Node, and everything native comes ready-made.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
# Temporal's core opens TLS connections with the system's certificates; the slim image has none.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY src src
COPY compose/healthcheck.ts compose/healthcheck.ts
USER node
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 CMD ["node", "compose/healthcheck.ts", "api"]
CMD ["node", "src/main.ts", "api"]
