"""Sources of request counters, one module a vendor."""
