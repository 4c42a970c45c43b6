"""The words after `/canary`: from one line of text to what was asked, or to what is wrong with it.

People type on phones and paste from documents: smart quotes and dashes, the links Slack makes of
names, and marks that nobody sees are read as what was meant. What is only guessed is never done:
it is given back as a line to paste.
"""

from bot.slack.grammar.asked import VERBS, Asked, Known, Line, Misread, Verb
from bot.slack.grammar.starts import LONGEST_REVISION, bad_revision
from bot.slack.grammar.typed import did_you_mean, plain_words
from bot.slack.grammar.verbs import parse

__all__ = [
    "LONGEST_REVISION",
    "VERBS",
    "Asked",
    "Known",
    "Line",
    "Misread",
    "Verb",
    "bad_revision",
    "did_you_mean",
    "parse",
    "plain_words",
]
