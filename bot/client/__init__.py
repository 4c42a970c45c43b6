"""The pipeline's client of the HTTP API: starts a canary, shows it, and ends as it did."""
