"""The decisions, pure: values in, values out; no clock, no await, no I/O, no logging."""
