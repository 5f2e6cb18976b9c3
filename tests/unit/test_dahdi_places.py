"""Numbers of spans that belong to cards: a kernel's sysfs played by files, cards coming, going and changing their order."""

from pathlib import Path

import pytest

from drivers.dahdi import places
from drivers.dahdi.places import SpanPlace, settle
from drivers.dahdi.sysfs import telephony_devices
from drivers.errors import ConfigError


class Kernel:
    """Plays DAHDI's sysfs: what is written to assign_span happens when `settle` looks again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cards: dict[str, tuple[int, ...]] = {}
        self.spans: dict[tuple[str, int], tuple[int, int]] = {}

    def plug(self, card: str, *channels: int, at: tuple[int, int] = (0, 0)) -> None:
        """`channels` of each of its spans; `at`: the kernel numbered the first one already."""
        self.cards[card] = channels
        if at[0]:
            self.spans[card, 1] = at
        self._show()

    def unplug(self, card: str) -> None:
        del self.cards[card]
        self.spans = {key: place for key, place in self.spans.items() if key[0] != card}
        self._show()

    def ordered(self, order: places.Order) -> None:
        card, numbers = order.device.name, [int(part) for part in order.text.split(":")]
        if order.file == "unassign_span":
            del self.spans[card, numbers[0]]
        else:
            self._check(card, numbers)
            self.spans[card, numbers[0]] = (numbers[1], numbers[2])
        self._show()

    def _check(self, card: str, numbers: list[int]) -> None:
        """As the kernel does: a number once, channels in the order of spans and not overlapping."""
        local, span, first = numbers
        taken = sorted([(other, at, self.cards[key[0]][key[1] - 1]) for key, (other, at) in self.spans.items()])
        assert (card, local) not in self.spans
        for other, at, channels in taken:
            assert other != span, numbers
            fits = at + channels <= first if other < span else first + self.cards[card][local - 1] <= at
            if not fits:
                raise ConfigError("LIN-120", "refused", "")

    def _show(self) -> None:
        devices, spans = self.root / "sys/bus/dahdi_devices/devices", self.root / "sys/bus/dahdi_spans/devices"
        for folder in (devices, spans):
            folder.mkdir(parents=True, exist_ok=True)
            for link in folder.iterdir():
                link.unlink()
        for card, channels in self.cards.items():
            real = self.root / "sys/devices" / card
            real.mkdir(parents=True, exist_ok=True)
            (devices / card).symlink_to(real)
            (real / "hardware_id").write_text(("" if card.startswith("slot") else f"usb:{card}") + "\n")
            (real / "location").write_text(f"{card}\n")
            (real / "dahdi_spantype").write_text("".join(f"{local}:FXS\n" for local in range(1, len(channels) + 1)))
        for (card, local), (number, first) in self.spans.items():
            real = self.root / "sys/devices" / card / f"span-{number}"
            real.mkdir(exist_ok=True)
            for name, text in {"local_spanno": local, "basechan": first, "channels": self.cards[card][local - 1], "name": "x"}.items():
                (real / name).write_text(f"{text}\n")
            (spans / real.name).symlink_to(real)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def settled(kernel: Kernel, *wanted: SpanPlace) -> dict[tuple[str, int], tuple[int, int]]:
    settle(wanted, kernel.root / "data", kernel.root, kernel.ordered)
    return kernel.spans


def test_the_first_cards_are_numbered_one_behind_the_other(kernel: Kernel) -> None:
    kernel.plug("A", 8, 6)
    kernel.plug("B", 31)
    assert settled(kernel) == {("A", 1): (1, 1), ("A", 2): (2, 9), ("B", 1): (3, 15)}


def test_numbers_that_the_kernel_gave_first_are_kept(kernel: Kernel) -> None:
    kernel.plug("B", 31, at=(1, 1))
    kernel.plug("A", 8, at=(2, 32))
    assert settled(kernel) == {("B", 1): (1, 1), ("A", 1): (2, 32)}


def test_cards_found_in_another_order_get_their_own_numbers_back(kernel: Kernel) -> None:
    kernel.plug("A", 8, at=(1, 1))
    kernel.plug("B", 31, at=(2, 9))
    settled(kernel)
    kernel.unplug("A")
    kernel.unplug("B")
    kernel.plug("B", 31, at=(1, 1))
    kernel.plug("A", 8, at=(2, 32))
    assert settled(kernel) == {("A", 1): (1, 1), ("B", 1): (2, 9)}


def test_numbers_of_a_card_that_is_away_are_given_to_no_other(kernel: Kernel) -> None:
    kernel.plug("A", 8, at=(1, 1))
    settled(kernel)
    kernel.unplug("A")
    kernel.plug("C", 4, at=(1, 1))  # the kernel fills the gap
    assert settled(kernel) == {("C", 1): (2, 9)}
    kernel.plug("A", 8)
    assert settled(kernel) == {("C", 1): (2, 9), ("A", 1): (1, 1)}


def test_the_configuration_goes_before_what_was_kept(kernel: Kernel) -> None:
    kernel.plug("A", 8, at=(1, 1))
    settled(kernel)
    assert settled(kernel, SpanPlace("usb:A", 5, 101)) == {("A", 1): (5, 101)}
    kernel.plug("B", 4)
    assert settled(kernel, SpanPlace("usb:A", 5, 101)) == {("A", 1): (5, 101), ("B", 1): (6, 109)}


def test_a_card_without_a_serial_number_is_known_by_its_slot(kernel: Kernel) -> None:
    kernel.plug("slot5", 4)
    settled(kernel)
    assert settle((), kernel.root / "data", kernel.root, kernel.ordered)[0].card == "@slot5"


def test_places_nobody_can_have_are_told(kernel: Kernel) -> None:
    kernel.plug("A", 8)
    kernel.plug("B", 8)
    with pytest.raises(ConfigError, match="LIN-120"):
        settled(kernel, SpanPlace("usb:A", 1, 1), SpanPlace("usb:B", 2, 5))


def test_a_refusal_of_the_kernel_names_the_order(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"LIN-120.*assign_span 1:2:9 of none"):
        places.write_order(places.Order(tmp_path / "none", "assign_span", "1:2:9"))


def test_a_usb_box_whose_driver_is_done_is_registered_first(kernel: Kernel) -> None:
    for name, state, registered in (("xbus-00", "READY (4)", "0"), ("xbus-01", "READY (4)", "1"), ("xbus-02", "FAIL (7)", "0")):
        box = kernel.root / places.BOXES / name
        box.mkdir(parents=True)
        (box / "xbus_state").write_text(f"{state}\n")
        (box / "dahdi_registration").write_text(f"{registered}\n")
    assert [(order.device.name, order.text) for order in places.unregistered(kernel.root)] == [("xbus-00", "1")]


def test_no_cards_no_file(kernel: Kernel) -> None:
    assert settle((), kernel.root / "data", kernel.root, kernel.ordered) == ()
    assert not (kernel.root / "data").exists()


def test_a_file_that_cannot_be_read_is_begun_anew(kernel: Kernel) -> None:
    (kernel.root / "data/system").mkdir(parents=True)
    (kernel.root / "data" / places.FILE).write_text("{")
    kernel.plug("A", 8)
    assert settled(kernel) == {("A", 1): (1, 1)}
    assert telephony_devices(kernel.root)[0].spans[0].channels == 8
