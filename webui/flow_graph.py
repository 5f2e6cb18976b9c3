"""Where a flow's nodes and arrows stand when it is drawn: columns from the entries on, arrows between them. Pure; units are pixels.

A place stands in the column of its shortest way from an entry. An arrow over several columns keeps a lane of its own in each of them, so
that it crosses no box; one that leads back goes round above the boxes. A place that somebody moved stands where it was put, and its
arrows go the straight way.

Drawn here rather than by a library in the browser: the picture is there without script, the same for everybody, and can be tested.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BOX_WIDTH, BOX_HEIGHT = 200, 78
BETWEEN, ABOVE_EACH, MARGIN = 160, 22, 30
PORT_TOP, PORT_STEP = 20, 19
LANE_HEIGHT, LANE_STEP = 12, 9
SWEEPS = 4
LABEL_MOST = 22


@dataclass(frozen=True)
class Exits:
    """The exits of one place that lead to the same place."""

    source: str
    target: str
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        """The names, as far as there is room."""
        text = ", ".join(self.names)
        return text if len(text) <= LABEL_MOST else text[: LABEL_MOST - 1] + "…"


@dataclass(frozen=True)
class Box:
    """A place; `x`, `y` are its upper left corner."""

    place: str
    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Arrow:
    """`path` as SVG draws it; the label begins at `x`, `y`."""

    exits: Exits
    path: str
    x: int
    y: int
    leads_back: bool


@dataclass(frozen=True)
class Loose:
    """An exit that leads nowhere yet, where its arrow would begin."""

    place: str
    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """The whole picture."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    loose: tuple[Loose, ...] = ()


Spot = tuple[str, ...]
"""A place alone, or the lane of an arrow: source, target, column."""


Moved = Mapping[str, tuple[int, int]]
"""Where places were put by hand."""


def draw(ways: Mapping[str, Mapping[str, str]], entries: Iterable[str]) -> Drawing:
    """`ways`: place to its exits and where each leads; exits to a place that is not there are left out. `entries`: places to begin at."""
    return _Drafting(ways, entries).drawing()


def draw_apart(ways: Mapping[str, Mapping[str, str]], entries: Iterable[str], loose: Mapping[str, Sequence[str]], moved: Moved) -> Drawing:
    """Each exit with an arrow of its own, also those that are `loose`: of each place the exits that lead nowhere yet."""
    return _Drafting(ways, entries, loose, moved, apart=True).drawing()


def columns_of(ways: Mapping[str, Mapping[str, str]], entries: Iterable[str]) -> dict[str, int]:
    """Place to its column; what no entry leads to begins anew in the first one."""
    columns: dict[str, int] = {}
    for begin in (*entries, *ways):
        if begin not in ways or (begin in columns and columns[begin] == 0):
            continue
        front = [] if begin in columns else [begin]
        columns.setdefault(begin, 0)
        while front:
            front = [to for place in front for to in _newly(columns, ways, place)]
    return columns


def _newly(columns: dict[str, int], ways: Mapping[str, Mapping[str, str]], place: str) -> list[str]:
    found = [to for to in dict.fromkeys(ways[place].values()) if to in ways and to not in columns]
    columns.update(dict.fromkeys(found, columns[place] + 1))
    return found


@dataclass
class _Drafting:
    ways: Mapping[str, Mapping[str, str]]
    entries: Iterable[str]
    loose: Mapping[str, Sequence[str]] = field(default_factory=dict)
    moved: Moved = field(default_factory=dict)
    apart: bool = False
    columns: dict[str, int] = field(default_factory=dict)
    stacks: list[list[Spot]] = field(default_factory=list)
    top: dict[Spot, int] = field(default_factory=dict)

    def drawing(self) -> Drawing:
        self.columns = columns_of(self.ways, tuple(self.entries))
        exits = self._exits()
        forward = [each for each in exits if self.columns[each.target] > self.columns[each.source]]
        back = [each for each in exits if each not in forward]
        chains = [self._chain(each) for each in forward]
        self._stack(chains)
        self._place(chains, MARGIN + LANE_STEP * (len(back) + 1))
        self.top.update({(place,): y for place, (_, y) in self.moved.items() if place in self.columns})
        arrows = [*self._forward(forward, chains, exits), *self._back(back, exits)]
        boxes = tuple(Box(place, self._left(place), self.top[(place,)], self._height((place,))) for place in self.columns)
        width = max((box.x + BOX_WIDTH + BETWEEN for box in boxes), default=0) + MARGIN
        return Drawing(width, MARGIN + max((box.y + box.height for box in boxes), default=0), boxes, tuple(arrows), self._loose())

    def _exits(self) -> list[Exits]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for place, ways in self.ways.items():
            for name, to in ways.items():
                if to in self.ways:
                    found.setdefault((place, to, name if self.apart else ""), []).append(name)
        return [Exits(source, target, tuple(names)) for (source, target, _), names in found.items()]

    def _loose(self) -> tuple[Loose, ...]:
        """Below the exits that lead somewhere."""
        return tuple(
            Loose(place, name, self._left(place) + BOX_WIDTH, self.top[(place,)] + PORT_TOP + PORT_STEP * (self._leading(place) + number))
            for place, names in self.loose.items()
            for number, name in enumerate(names)
        )

    def _leading(self, place: str) -> int:
        """How many arrows leave a place."""
        targets = [to for to in self.ways[place].values() if to in self.ways]
        return len(targets if self.apart else set(targets))

    def _chain(self, each: Exits) -> list[Spot]:
        """The spots an arrow passes, both its ends among them."""
        between = range(self.columns[each.source] + 1, self.columns[each.target])
        return [(each.source,), *((each.source, each.target, str(column)) for column in between), (each.target,)]

    def _stack(self, chains: Sequence[Sequence[Spot]]) -> None:
        """What stands over what in each column: near to what it is connected with."""
        self.stacks = [[] for _ in range(max(self.columns.values(), default=-1) + 1)]
        for place, column in self.columns.items():
            self.stacks[column].append((place,))
        for chain in chains:
            for spot in chain[1:-1]:
                self.stacks[int(spot[2])].append(spot)
        for sweep in range(SWEEPS):
            self._sweep(_neighbours(chains, backwards=sweep % 2 == 0))

    def _sweep(self, neighbours: Mapping[Spot, Sequence[Spot]]) -> None:
        rank = {spot: place for stack in self.stacks for place, spot in enumerate(stack)}
        for stack in self.stacks:
            middle = {spot: _mean([rank[one] for one in neighbours.get(spot, ())], rank[spot]) for spot in stack}
            stack.sort(key=lambda spot: middle[spot])
            rank.update({spot: place for place, spot in enumerate(stack)})

    def _place(self, chains: Sequence[Sequence[Spot]], top: int) -> None:
        """Give everything its height above ground: beside what leads there, if there is room."""
        before = _neighbours(chains, backwards=True)
        for stack in self.stacks:
            free = top
            for spot in stack:
                height = self._height(spot)
                wished = _mean([self.top[one] + self._height(one) / 2 for one in before.get(spot, ())], 0.0) - height / 2
                self.top[spot] = int(max(free, min(wished, free + BOX_HEIGHT)))
                free = self.top[spot] + height + ABOVE_EACH

    def _height(self, spot: Spot) -> int:
        if len(spot) > 1:
            return LANE_HEIGHT
        return max(BOX_HEIGHT, PORT_TOP + PORT_STEP * (self._leading(spot[0]) + len(self.loose.get(spot[0], ()))))

    def _left(self, place: str) -> int:
        return self.moved[place][0] if place in self.moved else self._x(self.columns[place])

    def _x(self, column: int) -> int:
        return MARGIN + BETWEEN // 2 + column * (BOX_WIDTH + BETWEEN)

    def _ports(self, exits: Sequence[Exits]) -> dict[Exits, tuple[int, int]]:
        """Where each arrow leaves its box: from the top down as their ends lie."""
        ports = {}
        leaving: dict[str, list[Exits]] = {place: [] for place in self.ways}
        for each in exits:
            leaving[each.source].append(each)
        for place, own in leaving.items():
            for number, each in enumerate(sorted(own, key=lambda each: self.top[(each.target,)])):
                x = self._left(place) + BOX_WIDTH
                ports[each] = (x, self.top[(place,)] + PORT_TOP + PORT_STEP * number)
        return ports

    def _forward(self, forward: Sequence[Exits], chains: Sequence[Sequence[Spot]], exits: Sequence[Exits]) -> list[Arrow]:
        ports = self._ports(exits)
        return [self._arrow(each, chain, ports[each]) for each, chain in zip(forward, chains, strict=True)]

    def _arrow(self, each: Exits, chain: Sequence[Spot], port: tuple[int, int]) -> Arrow:
        if each.source in self.moved or each.target in self.moved:
            return self._straight(each, port)
        x, y = port
        path = [f"M{x} {y}"]
        for step, spot in enumerate(chain[1:], 1):
            to_x, to_y = self._x(self.columns[each.source] + step), self.top[spot] + self._height(spot) // 2
            bend = (to_x - x) // 2
            path.append(f"C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}")
            x, y = to_x, to_y
            if len(spot) > 1:
                x += BOX_WIDTH
                path.append(f"H{x}")
        return Arrow(each, " ".join(path), port[0] + 6, port[1] - 4, leads_back=False)

    def _straight(self, each: Exits, port: tuple[int, int]) -> Arrow:
        """Between places that were put where they are."""
        (x, y), to_x, to_y = port, self._left(each.target), self.top[(each.target,)] + BOX_HEIGHT // 2
        bend = max(60, abs(to_x - x) // 2)
        return Arrow(each, f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}", x + 6, y - 4, leads_back=to_x < x)

    def _back(self, back: Sequence[Exits], exits: Sequence[Exits]) -> list[Arrow]:
        ports = self._ports(exits)
        arrows = []
        for number, each in enumerate(back):
            if each.source in self.moved or each.target in self.moved:
                arrows.append(self._straight(each, ports[each]))
                continue
            (x, y), lane = ports[each], MARGIN // 2 + LANE_STEP * number
            to_x, to_y = self._left(each.target), self.top[(each.target,)] + BOX_HEIGHT // 2
            path = f"M{x} {y} C{x + 60} {y} {x + 60} {lane} {x} {lane} H{to_x} C{to_x - 50} {lane} {to_x - 50} {to_y} {to_x} {to_y}"
            arrows.append(Arrow(each, path, x + 6, y - 4, leads_back=True))
        return arrows


def _neighbours(chains: Iterable[Sequence[Spot]], backwards: bool) -> dict[Spot, list[Spot]]:
    """Each spot's neighbours in the column before it, or after it."""
    found: dict[Spot, list[Spot]] = {}
    for chain in chains:
        for near, far in itertools.pairwise(chain):
            spot, other = (far, near) if backwards else (near, far)
            found.setdefault(spot, []).append(other)
    return found


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
