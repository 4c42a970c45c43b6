"""Sources of what lies between two revisions, one module a vendor."""
