"""The rich_text block: typed inline elements in sections, lists, quotes and code."""

import re

from bot.workspace.blocks.objects import BLOCK_ID
from bot.workspace.blocks.rules import (
    boolean,
    by_type,
    fields,
    integer,
    items,
    one_of,
    pattern,
    string,
)

_MANY = 1000
_STYLE = fields(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean
    )
    | {"client_highlight": boolean},
)
_INLINE = by_type(
    {
        "text": fields({"text": string(12000)}, {"style": _STYLE}),
        "link": fields(
            {"url": string(3000)}, {"text": string(3000), "unsafe": boolean, "style": _STYLE}
        ),
        "emoji": fields(
            {"name": string(255)},
            {"unicode": string(255), "skin_tone": integer(1, 6), "style": _STYLE},
        ),
        "user": fields({"user_id": string(255)}, {"style": _STYLE}),
        "usergroup": fields({"usergroup_id": string(255)}, {"style": _STYLE}),
        "channel": fields({"channel_id": string(255)}, {"style": _STYLE}),
        "team": fields({"team_id": string(255)}, {"style": _STYLE}),
        "broadcast": fields({"range": one_of("here", "channel", "everyone")}, {"style": _STYLE}),
        "color": fields({"value": string(255)}, {"style": _STYLE}),
        "date": fields(
            {"timestamp": integer(0, 10**11), "format": string(255)},
            {"url": string(3000), "fallback": string(255), "style": _STYLE},
        ),
    }
)
_SECTION = fields({"elements": items(_INLINE, _MANY, 0)})
_LANGUAGE = pattern(re.compile(r"[a-z0-9+#.-]{1,40}\Z").match, "the name of a language")

RICH_TEXT = fields(
    {
        "elements": items(
            by_type(
                {
                    "rich_text_section": _SECTION,
                    "rich_text_list": fields(
                        {
                            "style": one_of("bullet", "ordered"),
                            "elements": items(by_type({"rich_text_section": _SECTION}), _MANY),
                        },
                        {
                            "indent": integer(0, 8),
                            "offset": integer(0, 10**6),
                            "border": integer(0, 1),
                        },
                    ),
                    "rich_text_preformatted": fields(
                        {"elements": items(_INLINE, _MANY)},
                        {"border": integer(0, 1), "language": _LANGUAGE},
                    ),
                    "rich_text_quote": fields(
                        {"elements": items(_INLINE, _MANY)}, {"border": integer(0, 1)}
                    ),
                }
            ),
            _MANY,
        )
    },
    {"block_id": BLOCK_ID},
)
