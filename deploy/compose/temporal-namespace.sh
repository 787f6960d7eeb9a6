#!/bin/sh
# Makes the namespace of the product and the search attributes that its workflows set (src/contracts/search-attributes.ts). May run any
# number of times. Connection: TEMPORAL_ADDRESS; namespace: TEMPORAL_NAMESPACE.
set -eu

# The port is open some seconds before the server's parts have found each other.
tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS does not say that it is serving: see the log of the service temporal" >&2
    exit 1
  fi
  sleep 1
done

# Closed workflows stay to be looked at for 30 days; only onboarding ever closes.
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 720h

# A fresh namespace is known to every part of the server only after a few seconds.
tries=0
until temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
  --name TenantId --type Keyword --name State --type Keyword \
  --name Problem --type Keyword --name PausedSince --type Datetime; do
  tries=$((tries + 1))
  if [ "$tries" -ge 30 ]; then
    echo "The search attributes of the namespace $TEMPORAL_NAMESPACE could not be made" >&2
    exit 1
  fi
  sleep 1
done
echo "The namespace $TEMPORAL_NAMESPACE and its search attributes are there"
