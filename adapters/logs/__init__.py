"""Where a service's log is read."""
