"""The Slack edge: commands and clicks come in, one live message a canary goes out."""
