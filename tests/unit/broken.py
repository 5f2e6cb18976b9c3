"""Configurations with one mistake each, as people make them, and what `careline check` says of it: the key and value, and a remedy.

Rows: what is wrong, the text after `[paths]`, E (the box could not work) or W (not as meant), code, words that must be said. Those of PATHS
are the text of `[paths]` alone; `DIR` in them stands for the folder of the test.
"""

TWO_LINES = '[[lines.virtual.spans]]\nkind = "fxo"\nchannels = 2\n'
SETS = '[[lines.virtual.spans]]\nkind = "fxs"\nchannels = 2\n'
E1 = f'[[lines.virtual.spans]]\nkind = "pri"\n[[lines.virtual.spans]]\nkind = "cas"\n{SETS}'
SOUND = "/nonexistent/hello.wav"


def group(name: str, channels: str, more: str = "") -> str:
    return f'[[lines.groups]]\nname = "{name}"\nchannels = "{channels}"\n{more}\n'


def operator(text: str) -> str:
    return f"[calls.operator]\n{text}\n"


def extension(text: str) -> str:
    return f"[[lines.dial_plan.extensions]]\n{text}\n"


def route(text: str) -> str:
    return f'[[calls.routes]]\nname = "a"\nservice = "reject"\n{text}\n'


def week(text: str) -> str:
    return f"[hospital.calendar.week]\n{text}\n"


A_GROUPS = extension('numbers = "8000"\ngroup = "sets"')
EXTENSION = 'role = "extension"'
THE_SETS = group("sets", "5-6", EXTENSION)
SILENT = f'unattended_prompt = "{SOUND}"\n'
NO_CARD = '[lines]\ncard = "dahdi"\n'
CARD_SET_UP = NO_CARD + "".join(f'[[lines.dahdi.groups]]\nchannels = "{numbers}"\nsignalling = "fxsks"\n' for numbers in ("1-4", "4-6"))
ROW = tuple[str, str, str, str, tuple[str, ...]]

OPERATOR: tuple[ROW, ...] = (
    ("group", operator('group = "desk"'), "E", "CFG-057", ("calls.operator.group = 'desk'", "key 0 rings nobody", "trunk, sets")),
    ("no sets", TWO_LINES, "W", "CFG-057", ("calls.operator.group = 'sets'", "key 0 rings nobody", "Groups are trunk")),
    ("sets of another name", group("trunk", "1-4") + group("desk", "5-6", EXTENSION), "E", "CFG-057", ("group = 'sets'", "trunk, desk")),
    ("channel", operator("channel = 99"), "E", "CFG-013", ("calls.operator.channel = 99", "key 0 rings nobody", "5, 6")),
    ("a line's channel", operator("channel = 1"), "E", "CFG-014", ('calls.operator.number = ""', "nothing dialled", "Give the number")),
    ("lines, no number", operator('group = "trunk"'), "E", "CFG-014", ('calls.operator.number = ""', "nothing dialled")),
    ("sets, a number", operator('number = "8001"'), "W", "CFG-014", ('calls.operator.number = "8001"', "Leave it out")),
    ("flash, no number", operator('how = "flash"'), "E", "CFG-014", ('how = "flash" dials it', "extension at the switch")),
)

DIGITAL: tuple[ROW, ...] = (
    ("pri: no such span", f"{E1}[[lines.pri]]\nspan = 7\n", "E", "CFG-042", ("lines.pri[0].span = 7", "no span 7", "16 (span 1)")),
    ("pri: a span of r2", f"{E1}[[lines.pri]]\nspan = 2\n", "E", "CFG-042", ("lines.pri[0].span = 2", "span 2 has no D-channel")),
    ("pri: analogue", "[[lines.pri]]\nspan = 1\n", "E", "CFG-042", ("lines.pri[0].span = 1", "no D-channel", "none")),
    ("pri: no D-channel", f"{E1}[[lines.pri]]\nd_channel = 5\n", "E", "CFG-042", ("lines.pri[0].d_channel = 5", "no D-channel")),
    ("pri: other span", f"{E1}[[lines.pri]]\nspan = 2\nd_channel = 16\n", "E", "CFG-042", ("span 2 has no D-channel",)),
    (
        "pri: channels of another",
        f'{E1}[[lines.pri]]\nspan = 1\nchannels = "1-15,32"\n',
        "E",
        "CFG-042",
        ('lines.pri[0].channels = "1-15,32"', "channel 32: no B-channel of span 1", "1-15,17-31"),
    ),
    (
        "pri: channels nobody serves",
        f'{E1}[[lines.pri]]\nspan = 1\nchannels = "1-15"\n',
        "E",
        "CFG-044",
        ('lines.pri = ["1-15"]', "B-channels 17-31", "D-channel"),
    ),
    ("r2: no such span", f"{E1}[[lines.r2]]\nspan = 9\n", "E", "CFG-043", ("lines.r2[0].span = 9", "no span 9", "32-46,48-62")),
    ("r2: a span of pri", f"{E1}[[lines.r2]]\nspan = 1\n", "E", "CFG-043", ("lines.r2[0].span = 1", "no channel that is cas")),
    ("r2: channels", f'{E1}[[lines.r2]]\nchannels = "1-3"\n', "E", "CFG-043", ('lines.r2[0].channels = "1-3"', "no cas channel")),
    ("r2: nothing is", '[[lines.r2]]\nvariant = "mx"\n', "E", "CFG-043", ('lines.r2[0].variant = "mx"', "no channel that is cas")),
    ("span without D-channel", f'{E1}[[lines.spans]]\nspan = 1\nbchan = "1-15"\n', "E", "CFG-093", ("lines.spans[0]", "0 D-channels")),
)

GROUPS: tuple[ROW, ...] = (
    ("channels of no span", group("a", "1-9"), "E", "CFG-033", ('lines.groups[0].channels = "1-9"', "channels 7-9 are", "1-6")),
    ("a D-channel", E1 + group("a", "1-31"), "E", "CFG-033", ('lines.groups[0].channels = "1-31"', "channel 16", "1-15,17-31")),
    ("overlap", group("a", "1-4") + group("b", "4-5"), "E", "CFG-031", ('lines.groups[1].channels = "4-5"', "channel 4 is in group a")),
    ("overflow to none", group("a", "1-4", 'overflow = ["x"]') + THE_SETS, "E", "CFG-081", ('no group "x"', "Groups are a, sets")),
    (
        "overflow comes back",
        group("a", "1-2", 'overflow = ["b"]') + group("b", "3-4", 'overflow = ["a"]') + THE_SETS,
        "E",
        "CFG-082",
        ("lines.groups[0].overflow", "a > b > a"),
    ),
    ("sets, no role", group("trunk", "1-4") + group("sets", "5-6"), "W", "CFG-039", ('lines.groups[1].role = "trunk"', "channels 5-6")),
    ("lines, role", group("a", "1-4", EXTENSION) + THE_SETS, "W", "CFG-039", ('lines.groups[0].role = "extension"', "channels 1-4")),
    ("left over", group("trunk", "1-3") + THE_SETS, "W", "CFG-040", ('lines.groups = ["trunk", "sets"]', "channel 4", "not answered")),
    (
        "no way out",
        group("trunk", "1-4", 'incoming_only = "1-4"') + THE_SETS,
        "W",
        "CFG-085",
        ('lines.groups[0].incoming_only = "1-4"', "calls out go by group trunk", "Leave some"),
    ),
    ("all kept", group("trunk", "1-4", "reserve = 4") + THE_SETS, "W", "CFG-085", ("lines.groups[0].reserve = 4", "kept for callers")),
    ("profile", '[[lines.profiles]]\nname = "a"\nchannels = "4-5"\n', "W", "CFG-041", ('lines.profiles[0].channels = "4-5"', "channel 5:")),
)

ENGINE: tuple[ROW, ...] = (
    ("ports", "[lines.engine]\nmax_ports = 4\n", "E", "CFG-047", ("lines.engine.max_ports = 4", "6 channels", "6 and more")),
    ("far ends", "[lines.engine]\nmax_ports = 7\n", "W", "CFG-047", ("lines.engine.max_ports = 7", "far ends", "12 and more")),
    ("recordings", "[lines.engine]\nmax_recordings = 5\n", "W", "CFG-047", ("lines.engine.max_recordings = 5", "6 and more")),
)

FILES: tuple[ROW, ...] = (
    (
        "prompt",
        f'[lines]\nunattended_prompt = "{SOUND}"\n',
        "E",
        "CFG-048",
        ("lines.unattended_prompt", SOUND, "No such file"),
    ),
    ("no path", '[lines]\nunattended_prompt = "a\\u0000b"\n', "E", "CFG-048", ("lines.unattended_prompt", "null byte")),
    ("no sound", '[lines]\nunattended_prompt = "/etc/passwd"\n', "E", "CFG-048", ("/etc/passwd", "RIFF", "8000 Hz")),
    (
        "announcement",
        f'[[lines.sets.ports]]\nchannels = "5"\nmode = "headset"\nannouncement = "{SOUND}"\n',
        "E",
        "CFG-048",
        ("lines.sets.ports[0].announcement", "No such file"),
    ),
    (
        "said by a telephone",
        f'[[lines.virtual.telephones]]\nnumber = "1234567"\nsay = "{SOUND}"\n',
        "W",
        "CFG-048",
        ("lines.virtual.telephones[0].say",),
    ),
    ("said by a set", f'[[lines.virtual.sets]]\nchannel = 5\nsay = "{SOUND}"\n', "W", "CFG-048", ("lines.virtual.sets[0].say",)),
)

SETS_AND_NUMBERS: tuple[ROW, ...] = (
    ("lamp of nobody", '[calls]\nmessage_lamps = ["8044"]\n', "W", "CFG-015", ('calls.message_lamps = ["8044"]', "8001, 8002")),
    (
        "lamp of a group",
        '[calls]\nmessage_lamps = ["8000"]\n'
        + extension('numbers = "8000"\ngroup = "sets"')
        + extension('numbers = "1,2"\nchannels = "5-6"'),
        "W",
        "CFG-015",
        ("8000 is no single set", "1, 2"),
    ),
    ("group", extension('numbers = "8000"\ngroup = "desk"'), "E", "CFG-073", ("extensions[0].group = 'desk'", "trunk, sets")),
    ("no set there", extension('numbers = "8000"\nchannels = "1"'), "E", "CFG-071", ("lines.dial_plan.extensions[0]", "channel 1")),
    ("one number twice", extension('numbers = "8001,8001"\nchannels = "5-6"'), "E", "CFG-074", ("8001", "another number")),
    (
        "one set twice",
        extension('numbers = "8001,8002"\nchannels = "5,5"'),
        "W",
        "CFG-059",
        ("channel 5", "8001, 8002"),
    ),
    ("set without", extension('numbers = "8001"\nchannels = "5"'), "W", "CFG-059", ('lines.dial_plan.extensions = ["8001"]', "channel 6")),
    ("emergency number taken", extension('numbers = "1201"\nchannels = "5"'), "E", "CFG-074", ("1201", "emergency", "120 cannot be taken")),
    ("emergency operator", '[lines.dial_plan]\noperator = "110"\n', "E", "CFG-074", ("operator number 110", "emergency")),
    ("emergency by nobody", '[lines.dial_plan]\nemergency_groups = ["x"]\n', "E", "CFG-073", ("emergency_groups[0] = 'x'", "trunk, sets")),
    ("emergency by sets", SETS, "W", "CFG-063", ("lines.dial_plan.emergency_groups = []", "no line")),
    ("outside", '[[lines.dial_plan.outside]]\ngroup = "x"\n', "E", "CFG-073", ("outside[0].group = 'x'", "trunk, sets")),
    ("service", '[[lines.dial_plan.services]]\ncode = "*1"\nservice = "nix"\n', "E", "CFG-058", ("services[0].service = 'nix'", "hotline")),
    (
        "hotline",
        '[[lines.sets.ports]]\nchannels = "5"\nhotline = "7777"\n',
        "E",
        "CFG-049",
        ('ports[0].hotline = "7777"', "extension"),
    ),
    ("socket group", '[lines]\nsocket_group = "nosuch"\n', "E", "CFG-064", ('lines.socket_group = "nosuch"', "careline")),
    ("no card", NO_CARD + SILENT, "E", "CFG-048", ("lines.unattended_prompt", "No such file")),
    ("country without a card", NO_CARD + 'country = "zz"\n', "E", "CFG-084", ('lines.country = "zz"', "two letters")),
    ("overlap in the card's set-up", CARD_SET_UP, "E", "LIN-113", ("channel 4", "one group")),
    ("country", '[lines]\ncountry = "zz"\n', "E", "LIN-076", ("'zz'", "[lines] country can be")),
)

ROUTES: tuple[ROW, ...] = (
    ("group", route('group = "x"'), "E", "CFG-057", ("calls.routes[0].group = 'x'", "trunk, sets")),
    ("service", '[[calls.routes]]\nname = "a"\nservice = "fax"\n', "E", "CFG-004", ("calls.routes[0].service", "hotline, operator")),
    ("time", route('when = "night"'), "E", "CFG-004", ("calls.routes[0].when", "night", '"", open, closed')),
    ("spaces", route('ani = "138 0000*"'), "W", "CFG-065", ("calls.routes[0].ani = '138 0000*'", "withheld")),
    ("star in the middle", route('dnis = "80*1"\n').replace("80*1", "8x01"), "W", "CFG-065", ("calls.routes[0].dnis = '8x01'",)),
    ("no holidays", route('when = "holiday"'), "W", "CFG-066", ("calls.routes[0].when = 'holiday'", "hospital.calendar.holidays")),
    ("shadowed", route("") + route('ani = "1"').replace('"a"', '"b"'), "E", "CFG-054", ("'b' is never reached", "'a'")),
    ("hours overlap", week('monday = ["08:00-12:00", "11:00-13:00"]'), "E", "CFG-051", ("calendar.week.monday", "without overlap")),
    ("hours reversed", week('monday = ["12:00-08:00"]'), "E", "CFG-051", ("calendar.week.monday", "ends after it begins")),
    (
        "no message so long",
        "[calls]\nmessage_min_ms = 9000\nmessage_max_ms = 8000\n",
        "E",
        "CFG-086",
        ("calls.message_min_ms = 9000", "8000"),
    ),
    ("never open", week("monday = []"), "W", "CFG-067", ("hospital.calendar.week", "always closed", "08:00-12:00")),
)

PATHS: tuple[ROW, ...] = (
    ("relative", 'run_dir = "run"\ndata_dir = "DIR/data"', "E", "CFG-006", ('paths.run_dir = "run"', "whole path")),
    ("empty", 'run_dir = "DIR/run"\ndata_dir = ""', "E", "CFG-006", ('paths.data_dir = ""', "whole path")),
    ("no path", 'run_dir = "/run/a\\u0000b"\ndata_dir = "DIR/data"', "E", "CFG-006", ("paths.run_dir", "character 0")),
    ("too long", f'run_dir = "/{"r" * 94}"\ndata_dir = "DIR/data"', "E", "CFG-005", ("paths.run_dir", "107", "1 bytes shorter")),
    ("a file", 'run_dir = "/etc/passwd"\ndata_dir = "DIR/data"', "E", "CFG-007", ('paths.run_dir = "/etc/passwd"', "no folder")),
    ("below a file", 'run_dir = "DIR/run"\ndata_dir = "/etc/passwd/x"', "E", "CFG-007", ("/etc/passwd is no folder",)),
    ("the root", 'run_dir = "DIR/run"\ndata_dir = "/"', "E", "CFG-007", ('paths.data_dir = "/"', "the root")),
    ("one", 'run_dir = "DIR/data"\ndata_dir = "DIR/data"', "E", "CFG-008", ("paths.data_dir", "run_dir itself", "records would be lost")),
    ("data in run", 'run_dir = "DIR/run"\ndata_dir = "DIR/run/data"', "E", "CFG-008", ("paths.data_dir", "below run_dir")),
    ("run in data", 'run_dir = "DIR/data/run"\ndata_dir = "DIR/data"', "W", "CFG-008", ("paths.run_dir", "below data_dir")),
    ("not lasting", 'run_dir = "DIR/run"\ndata_dir = "/dev/shm/careline"', "W", "CFG-010", ('data_dir = "/dev/shm/careline"', "lost")),
)
