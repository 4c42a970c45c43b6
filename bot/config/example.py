"""A first configuration, to be edited: what `canary init` writes."""

from typing import Final

EXAMPLE: Final = """\
# canarybot's configuration. `canary check` says whether it works; the README explains each setting.
# Secrets stay in the environment: SLACK_BOT_TOKEN, SLACK_APP_TOKEN (SLACK_SIGNING_SECRET in HTTP
# mode), CANARY_REDIS_URL.

redis: redis://127.0.0.1:6379/0

slack:
  channel: C0123456789          # where canaries are announced (a channel's id, not its name)
  # mode: http                  # Slack calls the bot, instead of Socket Mode
  # listen: "127.0.0.1:3000"    # where, behind a proxy that speaks TLS

tick: 10s                       # time between two looks

# api:                          # for pipelines, and /metrics, /healthz and /readyz
#   listen: "127.0.0.1:8080"    # behind a proxy that speaks TLS; tokens: canary token create

# escalation:                   # when the router does not confirm a rollback
#   after: 30s                  # then the thread is told, and
#   oncall: S0987654321         # after twice as long this user (U…) or user group (S…) is mentioned,
#                               # after three times as long $CANARY_WEBHOOK_URL is called

tiers:                          # the safest first; the last one must ask a person
  safe:
    percent: 5
    window: 20m
    promote: auto               # the numbers decide
  risky:
    percent: 5
    window: 20m
    promote: approval           # the numbers, then a person
    approvers: [S0123456789]    # user groups (S…), users (U…) or a channel's members (C…)
    approvals: 1                # so many different people
    author_may_approve: false   # whoever started it is not one of them
    decision: 1h                # silence for so long rolls back

# risk:                         # what a change touches decides its tier; see canary classify
#   without: [long-idle]        # a default rule that you do not want
#   rules:
#     - {name: payments-team, tier: riskiest, owners: ["@acme/payments"]}

# freezes:                      # nothing is started then
#   - {name: weekend, weekly: "fri 16:00 - mon 08:00", timezone: Europe/Berlin}

# webhooks:                     # signed; who hears how canaries go
#   team: {url: "https://hooks.example/canary", secret_env: TEAM_WEBHOOK_SECRET}

services:
  checkout:
    tier: safe                  # the least that its changes get
    # changes:                  # without it nobody sees what changes, and a person is asked
    #   adapter: github         # or gitlab, or git: a clone on this machine
    #   repository: acme/checkout
    #   ref: "v{revision}"
    #   token_env: GITHUB_TOKEN
    # channel: C0987654321      # a channel of its own
    # oncall: S0987654321       # mentioned when a canary of this service was rolled back
    # dashboards: {Grafana: "https://grafana.example/d/x?var-service={service}&from={from}&to={to}"}
    traffic:
      adapter: envoy
      runtime_file: /etc/envoy/runtime/rt.yaml
      admin: http://127.0.0.1:15000
      key: canary.checkout
      backends: {blue: checkout_blue, green: checkout_green}
    metrics:
      adapter: prometheus
      url: http://127.0.0.1:9090
      preset: envoy
      backends: {blue: checkout_blue, green: checkout_green}
    logs:
      adapter: file
      path: /var/log/checkout/{backend}.jsonl
    readiness:
      adapter: http
      url: http://checkout-{backend}.internal:8080/health
    # slos:                     # every one has a default
    #   alpha: 0.01             # chance that a healthy canary is rolled back
    #   error_limit: 5%
    #   p99_limit: 800ms
"""
