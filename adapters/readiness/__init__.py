"""How a backend is asked whether it is ready."""
