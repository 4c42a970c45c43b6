"""Block Kit validation: limits of blocks, of whole messages and of views."""

from typing import Any

import pytest
from unit.workspace.block_limits import LIMITS
from unit.workspace.block_shapes import card, chart, header, plan, section, table
from unit.workspace.support import Json, actions, button, modal, mrkdwn, plain, text_input

from bot.workspace.blocks import check_message, check_view, complete, interactive
from bot.workspace.wire import SlackError


def refusal(blocks: Any) -> SlackError | None:
    """Check blocks and give what was refused, if anything."""
    try:
        check_message(blocks)
    except SlackError as error:
        return error
    return None


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_has_its_edge(name: str) -> None:
    """What is at the limit passes; one more is refused with the pointer of the place."""
    good, bad, pointer = LIMITS[name]
    assert refusal([good]) is None
    error = refusal([bad])
    assert error is not None
    assert error.error == "invalid_blocks"
    assert f"[json-pointer:/blocks/0{pointer}]" in " ".join(error.messages)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([section()] * 50, None),
        ([section()] * 51, "invalid_blocks"),
        ([section(block_id="a"), section(block_id="b")], None),
        ([section(block_id="a"), section(block_id="a")], "invalid_blocks"),
        ([table(), table()], "invalid_blocks"),
        ([chart(), chart()], None),
        ([chart(), chart(), chart()], "invalid_blocks"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "invalid_blocks"),
        ([section(text=mrkdwn("x" * 2600))] * 5, None),
        ([section(text=mrkdwn("x" * 2900))] * 5, "msg_blocks_too_long"),
        ({"type": "section"}, "invalid_blocks"),
    ],
)
def test_limits_of_a_whole_message(blocks: Any, error: str | None) -> None:
    """Counts, ids and sizes are checked over all blocks together."""
    refused = refusal(blocks)
    assert (refused.error if refused else None) == error


def test_answer_names_the_place_like_slack() -> None:
    """The answer holds Slack's wording in errors and in response_metadata."""
    refused = refusal([header("x" * 151)])
    assert refused is not None
    message = "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    assert refused.wire() == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [message],
        "response_metadata": {"messages": [f"[ERROR] {message}"]},
    }


@pytest.mark.parametrize(
    ("surface", "block", "allowed"),
    [
        ("modal", {"type": "alert", "text": mrkdwn("x")}, True),
        ("modal", table(), False),
        ("modal", {"type": "markdown", "text": "x"}, False),
        ("modal", plan(1), False),
        ("home", table(), True),
        ("home", {"type": "markdown", "text": "x"}, False),
        ("home", {"type": "alert", "text": mrkdwn("x")}, False),
    ],
)
def test_surfaces_take_different_blocks(surface: str, block: Json, allowed: bool) -> None:
    """A block is taken on the surfaces that Slack has it on, and on no other."""
    view = modal(block) if surface == "modal" else {"type": "home", "blocks": [block]}
    if allowed:
        check_view(view, surface)
        return
    with pytest.raises(SlackError) as refused:
        check_view(view, surface)
    assert "/view/blocks/0/type" in refused.value.messages[0]


def test_a_modal_takes_a_hundred_blocks() -> None:
    """One hundred blocks fit in a modal and one more does not."""
    check_view(modal(*[section()] * 100), "modal")
    with pytest.raises(SlackError):
        check_view(modal(*[section()] * 101), "modal")


def test_one_element_takes_the_focus() -> None:
    """A view with two elements that want the focus is refused."""
    first = text_input("a", "one", focus_on_load=True)
    check_view(modal(first, text_input("b", "two"), submit=plain("Go")), "modal")
    second = text_input("b", "two", focus_on_load=True)
    with pytest.raises(SlackError) as refused:
        check_view(modal(first, second, submit=plain("Go")), "modal")
    assert "/view/blocks/1/element/focus_on_load" in refused.value.messages[0]


def test_ids_that_are_left_out_are_filled_in() -> None:
    """Blocks and elements without ids get new ones, and what was given stays as it was."""
    given = [actions({"type": "button", "text": plain("x")}), section(block_id="mine")]
    done = complete(given)
    assert done[0]["block_id"]
    assert done[0]["elements"][0]["action_id"]
    assert done[1]["block_id"] == "mine"
    assert "block_id" not in given[0]


def test_elements_inside_containers_can_be_used() -> None:
    """Buttons are found in actions, accessories, cards and containers."""
    blocks = complete(
        [
            section(accessory=button("a")),
            card(actions=[button("b")]),
            {"type": "container", "child_blocks": [actions(button("c"), block_id="inner")]},
        ]
    )
    found = [(block, element["action_id"]) for block, element in interactive(blocks)]
    assert [action for _, action in found] == ["a", "b", "c"]
    assert found[2][0] == "inner"
