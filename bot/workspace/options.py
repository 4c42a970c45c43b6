"""External selects: asking the app for the options that fit what a person has typed."""

from typing import Any

from bot.workspace import payloads
from bot.workspace.blocks.check import check_options
from bot.workspace.core import Workspace
from bot.workspace.delivery import INTERACTION
from bot.workspace.interactions import find_person, undelivered, visible_element
from bot.workspace.wire import Json, RefusedError, SlackError

TYPED_BEFORE_ASKING = 3
NO_OPTIONS = "The options could not be loaded"


async def suggest(workspace: Workspace, request: Json) -> Json:
    """Ask for the options of an external select; gives `options` or `option_groups`.

    What was offered can then be chosen. Fewer characters than `min_query_length`
    (3 unless the element says otherwise) ask nothing, as in Slack.
    """
    user = find_person(workspace, request["user"])
    seen = visible_element(workspace, user, request)
    if not seen.element["type"].endswith("external_select"):
        raise RefusedError(f"{request['action_id']!r} is a {seen.element['type']}: it asks nobody")
    words = str(request.get("value") or "")
    least = seen.element.get("min_query_length", TYPED_BEFORE_ASKING)
    if len(words) < least:
        return {"ok": True, "options": [], "min_query_length": least}
    workspace.counts.delivered[INTERACTION] += 1
    try:
        where = seen.view or seen.message
        assert where is not None
        payload = payloads.suggestion(workspace, user, seen.place[1:], words, where)
        answer = await workspace.delivery.send(INTERACTION, payload)
        check_options(answer)
    except SlackError as error:
        undelivered(workspace, error)
        return {"ok": False, "error": error.error, "shown": NO_OPTIONS, "options": []}
    shown = {key: answer[key] for key in ("options", "option_groups") if answer.get(key)}
    workspace.store.offer(seen.place, _flat(shown))
    return {"ok": True, "options": [], **shown}


def _flat(shown: dict[str, Any]) -> list[Json]:
    groups = shown.get("option_groups", [])
    return [*shown.get("options", []), *(o for group in groups for o in group["options"])]
