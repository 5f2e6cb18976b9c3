"""The card in software: spans, a small exchange and telephones behind the same interface as real cards (`drivers.io`).

`card.VirtualCard(config, engine)` is the card, its `world` everything beyond the sockets. All of it runs on the line server's event
loop; its only clock is the loop's, its only audio the media core's, so a virtual clock makes it the same each time.

config.py what the card consists of · hookstate.py the kernel's hook state machine · wire.py one line and its faults · card.py the card ·
trunk.py the exchange's end of a line · exchange.py numbers and calls · audio.py ports and circuits of the far side · handset.py,
telephone.py telephones · world.py all of them together · socket.py telephones for other programs
"""
