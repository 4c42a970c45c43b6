"""Ways to wake somebody where Slack alone may not."""
