"""Faults on real parts: what is stood through, by what, and how one knows."""
