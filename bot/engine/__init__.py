"""The shell: the only code that awaits ports."""
