"""Steps of a draft that can be undone, and where a draft's boxes and exits stand."""

from webui.flow_graph import BOX_HEIGHT, BOX_WIDTH, PORT_STEP, PORT_TOP, draw_apart
from webui.flow_steps import DRAFTS_MOST, LETTERS_MOST, STEPS_MOST, StepsTaken

ME = ("me", "visits", 1)


def test_steps_go_back_and_forth() -> None:
    steps = StepsTaken()
    steps.took(ME, 1, "a", "")
    steps.took(ME, 2, "b", "")
    assert steps.counts(ME, 3) == (2, 0)
    assert steps.undone(ME, 3, "c") == "b"
    assert steps.undone(ME, 4, "b") == "a"
    assert steps.undone(ME, 5, "a") is None
    assert steps.redone(ME, 5, "a") == "b"
    assert steps.redone(ME, 6, "b") == "c"
    assert steps.redone(ME, 7, "c") is None


def test_a_new_step_ends_what_could_be_done_again() -> None:
    steps = StepsTaken()
    steps.took(ME, 1, "a", "")
    steps.undone(ME, 2, "b")
    steps.took(ME, 3, "a", "")
    assert steps.counts(ME, 4) == (1, 0)


def test_steps_of_the_same_kind_are_one() -> None:
    steps = StepsTaken()
    for count, text in enumerate(("a", "b", "c"), 1):
        steps.took(ME, count, text, "set say_1")
    steps.took(ME, 4, "d", "set say_2")
    assert steps.counts(ME, 5) == (2, 0)
    assert steps.undone(ME, 5, "e") == "d"
    assert steps.undone(ME, 6, "d") == "a"


def test_what_another_saved_ends_the_steps() -> None:
    steps = StepsTaken()
    steps.took(ME, 1, "a", "")
    assert steps.undone(ME, 9, "z") is None


def test_steps_do_not_pile_up() -> None:
    steps = StepsTaken()
    for count in range(STEPS_MOST + 20):
        steps.took(ME, count, str(count), "")
    assert steps.counts(ME, STEPS_MOST + 20)[0] == STEPS_MOST
    steps.took(ME, STEPS_MOST + 20, "x" * (LETTERS_MOST + 1), "")
    assert steps.counts(ME, STEPS_MOST + 21)[0] == 0
    for number in range(DRAFTS_MOST):
        steps.took((str(number), "visits", 1), 1, "a", "")
    assert steps.counts(ME, STEPS_MOST + 21) == (0, 0)


WAYS = {"a": {"x": "b", "y": "b"}, "b": {"back": "a"}, "c": {}}


def test_every_exit_has_an_arrow_or_a_loose_end_of_its_own() -> None:
    drawing = draw_apart(WAYS, ["a"], {"a": ["z"], "c": ["p", "q"]}, {})
    assert sorted((arrow.exits.source, *arrow.exits.names) for arrow in drawing.arrows) == [("a", "x"), ("a", "y"), ("b", "back")]
    assert [(one.place, one.name) for one in drawing.loose] == [("a", "z"), ("c", "p"), ("c", "q")]
    box = next(box for box in drawing.boxes if box.place == "a")
    assert box.height >= PORT_TOP + 3 * PORT_STEP
    ports = [(arrow.x - 6, arrow.y + 4) for arrow in drawing.arrows if arrow.exits.source == "a"]
    ends = [*ports, *((one.x, one.y) for one in drawing.loose if one.place == "a")]
    assert len(set(ends)) == 3
    assert all(x == box.x + BOX_WIDTH and box.y < y < box.y + box.height for x, y in ends)


def test_a_place_stands_where_it_was_put_and_its_arrows_follow() -> None:
    drawing = draw_apart(WAYS, ["a"], {}, {"b": (900, 700)})
    box = next(box for box in drawing.boxes if box.place == "b")
    assert (box.x, box.y) == (900, 700)
    assert all(arrow.path.endswith(f"{900} {700 + BOX_HEIGHT // 2}") for arrow in drawing.arrows if arrow.exits.target == "b")
    assert drawing.width > 900 + BOX_WIDTH
    assert drawing.height >= 700 + BOX_HEIGHT


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw_apart({}, [], {}, {}).boxes == ()
