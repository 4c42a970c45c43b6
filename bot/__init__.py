"""canarybot: the part that would be the same with other vendors.

In import order, each layer sees only those to its right::

    __main__ > cli > bootstrap > slack | workspace | demo > engine | config > ports > core
"""
