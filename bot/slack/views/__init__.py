"""Pure functions from state to what Slack shows; nothing here waits, reads or remembers."""
