"""Routers, one module a vendor."""
