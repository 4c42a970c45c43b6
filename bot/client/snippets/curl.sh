#!/usr/bin/env bash
# Start a canary and wait for its end, with nothing but bash, curl and jq.
#   CANARY_SERVER=https://canary.example.com CANARY_TOKEN=cnry_… ./canary.sh shop v2
# Ends with 0 promoted, 1 not started, 3 lost from sight, 10 rolled back, 11 rejected, 12 timed out.
set -euo pipefail

service=${1:?which service} revision=${2:?which revision}
: "${CANARY_SERVER:?}" "${CANARY_TOKEN:?}"
deadline=$((SECONDS + ${CANARY_TIMEOUT:-7200}))
key=${CANARY_KEY:-$service-$revision-${GITHUB_RUN_ID:-${CI_PIPELINE_ID:-${BUILD_TAG:-$RANDOM$RANDOM$RANDOM}}}}

ask() {
  # The token comes from a file descriptor, so that no list of processes shows it.
  curl --silent --show-error --fail-with-body --max-time 60 --retry 8 --retry-connrefused \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$CANARY_TOKEN") "$@"
}

canary=$(jq -n --arg service "$service" --arg revision "$revision" '{$service, $revision}' |
  ask --request POST "$CANARY_SERVER/v1/canaries" --json @- --header "Idempotency-Key: $key") || {
  jq -r '"\(.detail) \(.next)"' <<<"${canary:-null}" >&2 || true
  exit 1
}
id=$(jq -r .id <<<"$canary") summary=""
echo "canary $id"

while :; do
  if [ "$(jq -r .summary <<<"$canary")" != "$summary" ]; then
    summary=$(jq -r .summary <<<"$canary")
    echo "$summary"
  fi
  case $(jq -r .state <<<"$canary") in
    promoted) exit 0 ;;
    rolled_back) jq -r '.cause.text, .cause.findings[].reason' <<<"$canary"; exit 10 ;;
    rejected) jq -r .cause.text <<<"$canary"; exit 11 ;;
  esac
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "not waited for any longer; $id goes on" >&2
    exit 12
  fi
  seen=$(jq -r .version <<<"$canary")
  canary=$(ask "$CANARY_SERVER/v1/canaries/$id?wait=25s&seen=$seen") || exit 3
done
