"""`canary audit`: who did what, when, why and on which evidence, and whether that is whole.

Everything is read and nothing written; the bot need not run.
"""
